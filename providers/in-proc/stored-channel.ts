import { type CometClient, publicPartOf } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  Done,
  InitialiseOperation,
  JoinOperation,
  LeaseOutcome,
  LeaseRenewal,
  LeaveOperation,
  Operation,
  Outcome,
  Refusal,
  RemovedClient,
  RemoveOperation,
  RetainedLog,
  Retention,
  SendOperation,
  StopOperation,
  UpdateOperation,
} from '../../lib/comet-state-provider.ts'
import type { Cursor } from '../../lib/cursor.ts'
import { EVERYBODY_TOPICS } from '../../lib/topics.ts'
import { ChannelLog, type Follower } from './channel-log.ts'
import { ClaimTable } from './claim-table.ts'
import { ClientTable } from './client-table.ts'
import { ForgetfulMap } from './forgetful-map.ts'

/** How many keys of sends, and how many stopped tokens, are remembered at most. */
const MAX_REMEMBERED = 100_000

const UNKNOWN: Refusal = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }

/** One channel as the store keeps it. All is synchronous, so every operation is atomic by itself. */
export class StoredChannel {
  readonly #log: ChannelLog
  readonly #clients: ClientTable
  readonly #claims: ClaimTable
  readonly #stopped: ForgetfulMap<true>
  readonly #keys: ForgetfulMap<number>
  #rememberMs = 0

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#log = new ChannelLog(now)
    this.#clients = new ClientTable(now)
    this.#claims = new ClaimTable(now)
    this.#stopped = new ForgetfulMap(MAX_REMEMBERED, now)
    this.#keys = new ForgetfulMap(MAX_REMEMBERED, now)
  }

  /** Sets how much is retained from now on. */
  retain(retention: Retention): void {
    this.#log.retain(retention)
    this.#rememberMs = retention.seconds * 1000
  }

  retainedLog(): RetainedLog {
    return this.#log.retained()
  }

  /** Feeds the follower all that is appended from now on. The returned function ends that. */
  follow(follower: Follower): () => void {
    return this.#log.follow(follower)
  }

  append(operations: readonly Operation[]): Outcome[] {
    const outcomes = operations.map((operation) => this.#do(operation))
    this.#log.feed()
    return outcomes
  }

  findClient(privateTokenHash: string): ClientRecord | 'stopped' | undefined {
    const found = this.#clients.find(privateTokenHash)
    if (found) return { ...found, asOf: this.#log.head }
    return this.#stopped.get(privateTokenHash) ? 'stopped' : undefined
  }

  /** Those whom one of the topics addresses, each once; all by default. */
  clients(topics: readonly string[] = EVERYBODY_TOPICS): Iterable<CometClient> {
    return this.#clients.audience(topics)
  }

  renewLeases(renewals: readonly LeaseRenewal[]): LeaseOutcome[] {
    return renewals.map((renewal) => this.#clients.renew(renewal))
  }

  removeExpired(): RemovedClient[] {
    this.#log.trim()
    this.#claims.forgetExpired()
    const expired = this.#clients.expired()
    this.append(
      expired.map(({ client: { publicToken, generation } }) => ({ kind: 'remove', publicToken, generation })),
    )
    return expired
  }

  claim(claims: readonly Claim[]): ClaimOutcome[] {
    return claims.map((claim) =>
      this.#clients.has(claim.publicToken, claim.generation) ? this.#claims.claim(claim) : 'gone',
    )
  }

  settle(replies: readonly ClaimReply[]): void {
    for (const reply of replies) this.#claims.settle(reply)
  }

  #do(operation: Operation): Outcome {
    switch (operation.kind) {
      case 'send':
        return this.#send(operation)
      case 'initialise':
        return this.#initialise(operation)
      case 'update':
        return this.#update(operation)
      case 'join':
        return this.#join(operation)
      case 'leave':
        return this.#leave(operation)
      case 'remove':
        return this.#remove(operation)
      case 'stop':
        return this.#stop(operation)
    }
  }

  #send({ topics, except, name, contents, receiver, key }: SendOperation): Outcome {
    const first = key === undefined ? undefined : this.#keys.get(key)
    if (first !== undefined) return { epoch: this.#log.epoch, id: first }
    if (receiver !== undefined && !this.#clients.has(receiver)) return UNKNOWN
    const at = this.#log.add((id) => ({ kind: 'message', id, topics, except, name, contents }))
    if (key !== undefined) this.#keys.set(key, at.messageId, this.#rememberMs)
    return doneAt(at)
  }

  #initialise(operation: InitialiseOperation): Outcome {
    const refused = this.#stopped.get(operation.privateTokenHash)
      ? 'COMET_CLIENT_ALREADY_EXISTS'
      : this.#clients.refusal(operation)
    if (refused) return { refused }
    const { publicToken } = operation.client
    const at = this.#log.add((id) => ({ kind: 'initialise', id, publicToken }))
    const client = this.#clients.add(operation, at)
    this.#addMemberships('join', client)
    return { ...doneAt(at), client }
  }

  #update(operation: UpdateOperation): Outcome {
    const { publicToken, generation } = operation
    if (!this.#clients.has(publicToken, generation)) return UNKNOWN
    const client = this.#clients.update(operation)
    const at = this.#log.add((id) => ({ kind: 'update', id, ...memberOf(client), groups: client.groups }))
    return { ...doneAt(at), client }
  }

  #join({ publicToken, generation, group, maxGroups }: JoinOperation): Outcome {
    const client = this.#clients.get(publicToken, generation)
    if (client === undefined) return UNKNOWN
    if (client.groups.includes(group)) return this.#unchanged(client)
    if (client.groups.length >= maxGroups) return { refused: 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' }
    const at = this.#log.add((id) => ({ kind: 'join', id, ...memberOf(client), group }))
    return { ...doneAt(at), client: this.#clients.join(publicToken, group, at.messageId) }
  }

  #leave({ publicToken, generation, group }: LeaveOperation): Outcome {
    const client = this.#clients.get(publicToken, generation)
    if (client === undefined) return UNKNOWN
    if (!client.groups.includes(group)) return this.#unchanged(client)
    const at = this.#log.add((id) => ({ kind: 'leave', id, ...memberOf(client), group }))
    const left = this.#clients.leave(publicToken, group, at.messageId, this.#log.trimmedThrough)
    return { ...doneAt(at), client: left }
  }

  #remove({ publicToken, generation }: RemoveOperation): Outcome {
    const client = this.#clients.get(publicToken, generation)
    if (client === undefined) return UNKNOWN
    this.#forget(client)
    const at = this.#log.add((id) => ({ kind: 'remove', id, publicToken, generation }))
    return { ...doneAt(at), client }
  }

  #stop({ topics, except }: StopOperation): Outcome {
    const excepted = new Set(except)
    const audience = [...this.#clients.audience(topics)]
    const stopped = audience.filter(({ publicToken }) => !excepted.has(publicToken))
    const at = this.#log.add((id) => ({ kind: 'stop', id, topics, except }))
    for (const client of stopped) this.#stopped.set(this.#forget(client), true, this.#rememberMs)
    return { ...doneAt(at), stopped }
  }

  /** Ends all that is known of a client. Answers with the hash of its private token. */
  #forget(client: CometClient): string {
    this.#addMemberships('leave', client)
    this.#claims.forgetClient(client.generation)
    return this.#clients.remove(client.publicToken)
  }

  /** An entry for each group of a client that comes or goes. */
  #addMemberships(kind: 'join' | 'leave', client: CometClient): void {
    const member = memberOf(client)
    for (const group of client.groups) this.#log.add((id) => ({ kind, id, ...member, group }))
  }

  #unchanged(client: CometClient): Done {
    return { epoch: this.#log.epoch, id: this.#log.head, unchanged: true, client }
  }
}

function doneAt({ epoch, messageId }: Cursor): Done {
  return { epoch, id: messageId }
}

/** What entries say of a client. */
function memberOf(client: CometClient): {
  readonly generation: number
  readonly client: ReturnType<typeof publicPartOf>
} {
  return { generation: client.generation, client: Object.freeze(publicPartOf(client)) }
}
