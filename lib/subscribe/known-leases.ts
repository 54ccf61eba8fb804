import type { CometClient } from '../comet-client.ts'
import { clientOfTopic, groupTopic, sharedTopicsOf } from '../topics.ts'
import type { ClientLease } from './client-lease.ts'
import { TopicIndex } from './topic-index.ts'

/** The leases that a node has, by all that leads to one. */
export class KnownLeases implements Iterable<ClientLease> {
  readonly #byHash = new Map<string, ClientLease>()
  readonly #byPublicToken = new Map<string, ClientLease>()
  /** Under the topics that may address others, too: those that do not rest. */
  readonly #byTopic = new TopicIndex<ClientLease>()

  get size(): number {
    return this.#byHash.size
  }

  [Symbol.iterator](): IterableIterator<ClientLease> {
    return this.#byHash.values()
  }

  byHash(privateTokenHash: string): ClientLease | undefined {
    return this.#byHash.get(privateTokenHash)
  }

  byPublicToken(publicToken: string): ClientLease | undefined {
    return this.#byPublicToken.get(publicToken)
  }

  /** Visits those whom a topic addresses, but for that of everybody. Who rests may be left out. */
  forEachAt(topic: string, visit: (lease: ClientLease) => void): void {
    const publicToken = clientOfTopic(topic)
    if (publicToken === undefined) return this.#byTopic.forEach(topic, visit)
    const lease = this.#byPublicToken.get(publicToken)
    if (lease) visit(lease)
  }

  /** Adds one. Its tokens lead to it from now on. */
  add(lease: ClientLease): void {
    const { privateTokenHash, publicToken, client } = lease
    this.#byHash.set(privateTokenHash, lease)
    this.#byPublicToken.set(publicToken, lease)
    for (const topic of sharedTopicsOf(client)) this.#byTopic.add(topic, lease)
  }

  /** Takes it from its topics until it is roused: nobody waits there. */
  rest(lease: ClientLease): void {
    if (lease.isResting) return
    lease.isResting = true
    for (const topic of sharedTopicsOf(lease.client)) this.#byTopic.delete(topic, lease)
  }

  /** Puts it at its topics again, if it rests: not one that was taken out. */
  rouse(lease: ClientLease): void {
    if (!lease.isResting || this.#byHash.get(lease.privateTokenHash) !== lease) return
    lease.isResting = false
    for (const topic of sharedTopicsOf(lease.client)) this.#byTopic.add(topic, lease)
  }

  /** Takes it out of where it is: newer bearers of the tokens may have taken its places. */
  delete(lease: ClientLease): void {
    const { privateTokenHash, publicToken } = lease
    if (this.#byHash.get(privateTokenHash) === lease) this.#byHash.delete(privateTokenHash)
    if (this.#byPublicToken.get(publicToken) === lease) this.#byPublicToken.delete(publicToken)
    this.rest(lease)
  }

  /** Takes note that its client has other groups now than it had. */
  regroup(lease: ClientLease, former: CometClient['groups']): void {
    const { groups } = lease.client
    if (groups === former || lease.isResting) return
    for (const group of former) if (!groups.includes(group)) this.#byTopic.delete(groupTopic(group), lease)
    for (const group of groups) if (!former.includes(group)) this.#byTopic.add(groupTopic(group), lease)
  }

  clear(): void {
    this.#byHash.clear()
    this.#byPublicToken.clear()
    this.#byTopic.clear()
  }
}
