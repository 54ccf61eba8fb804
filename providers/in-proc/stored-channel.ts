import { randomBytes } from 'node:crypto'
import type { CometClient } from '../../lib/comet-client.ts'
import type {
  ClientRecord,
  Entry,
  InitialiseOperation,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  RemovedClient,
  RemoveOperation,
  RetainedLog,
  Retention,
  SendOperation,
  StopOperation,
} from '../../lib/comet-state-provider.ts'
import type { Cursor } from '../../lib/cursor.ts'
import { RetainedWindow } from '../../lib/retained-window.ts'
import { ClientTable } from './client-table.ts'
import { ForgetfulMap } from './forgetful-map.ts'

/** How many keys of sends, and how many stopped tokens, are remembered at most. */
const MAX_REMEMBERED = 100_000

/** Until a provider opens it. */
const RETAIN_NOTHING: Retention = { seconds: 0, messages: 0, bytes: 0 }

/** Takes the entries of one channel in order. */
export type Follower = (entries: readonly Entry[]) => void

/** One channel as the store keeps it. All is synchronous, so every operation is atomic by itself. */
export class StoredChannel {
  readonly #epoch = randomBytes(12).toString('base64url')
  /** Microseconds since 1970, so that ids are above all that an earlier process can have given. */
  #head = Date.now() * 1000
  readonly #window: RetainedWindow
  readonly #clients: ClientTable
  readonly #stopped: ForgetfulMap<true>
  readonly #keys: ForgetfulMap<number>
  readonly #followers = new Set<Follower>()
  #rememberMs = 0

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#window = new RetainedWindow(RETAIN_NOTHING, this.#head, now)
    this.#clients = new ClientTable(now)
    this.#stopped = new ForgetfulMap(MAX_REMEMBERED, now)
    this.#keys = new ForgetfulMap(MAX_REMEMBERED, now)
  }

  /** Sets how much is retained from now on. */
  retain(retention: Retention): void {
    this.#window.retain(retention)
    this.#rememberMs = retention.seconds * 1000
  }

  retainedLog(): RetainedLog {
    this.#window.trim()
    return {
      epoch: this.#epoch,
      entries: [...this.#window.entriesAfter(this.#window.trimmedThrough)],
      head: this.#head,
      trimmedThrough: this.#window.trimmedThrough,
    }
  }

  /** Feeds the follower all that is appended from now on. The returned function ends that. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  append(operations: readonly Operation[]): Outcome[] {
    const added: Entry[] = []
    const outcomes = operations.map((operation) => this.#do(operation, added))
    if (added.length > 0) for (const follower of this.#followers) follower(added)
    return outcomes
  }

  findClient(privateTokenHash: string): ClientRecord | 'stopped' | undefined {
    const found = this.#clients.find(privateTokenHash)
    if (found) return { ...found, asOf: this.#head }
    return this.#stopped.get(privateTokenHash) ? 'stopped' : undefined
  }

  clients(): Iterable<CometClient> {
    return this.#clients.clients()
  }

  renewLeases(renewals: readonly LeaseRenewal[]): LeaseOutcome[] {
    return renewals.map((renewal) => this.#clients.renew(renewal))
  }

  removeExpired(): RemovedClient[] {
    this.#window.trim()
    const expired = this.#clients.expired()
    this.append(
      expired.map(({ client: { publicToken, generation } }) => ({ kind: 'remove', publicToken, generation })),
    )
    return expired
  }

  #do(operation: Operation, added: Entry[]): Outcome {
    switch (operation.kind) {
      case 'send':
        return this.#send(operation, added)
      case 'initialise':
        return this.#initialise(operation, added)
      case 'remove':
        return this.#remove(operation, added)
      case 'stop':
        return this.#stop(operation, added)
    }
  }

  #send({ topics, except, name, contents, receiver, key }: SendOperation, added: Entry[]): Outcome {
    const first = key === undefined ? undefined : this.#keys.get(key)
    if (first !== undefined) return { epoch: this.#epoch, id: first }
    if (receiver !== undefined && !this.#clients.has(receiver)) {
      return { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
    }
    const at = this.#add((id) => ({ kind: 'message', id, topics, except, name, contents }), added)
    if (key !== undefined) this.#keys.set(key, at.messageId, this.#rememberMs)
    return { epoch: at.epoch, id: at.messageId }
  }

  #initialise(operation: InitialiseOperation, added: Entry[]): Outcome {
    const refused = this.#stopped.get(operation.privateTokenHash)
      ? 'COMET_CLIENT_ALREADY_EXISTS'
      : this.#clients.refusal(operation)
    if (refused) return { refused }
    const { publicToken } = operation.client
    const at = this.#add((id) => ({ kind: 'initialise', id, publicToken }), added)
    return { epoch: at.epoch, id: at.messageId, client: this.#clients.add(operation, at) }
  }

  #remove({ publicToken, generation }: RemoveOperation, added: Entry[]): Outcome {
    if (!this.#clients.has(publicToken, generation)) return { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
    this.#clients.remove(publicToken)
    const at = this.#add((id) => ({ kind: 'remove', id, publicToken, generation }), added)
    return { epoch: at.epoch, id: at.messageId }
  }

  #stop({ topics }: StopOperation, added: Entry[]): Outcome {
    const stopped = this.#clients.audience(topics)
    for (const { publicToken } of stopped) {
      this.#stopped.set(this.#clients.remove(publicToken), true, this.#rememberMs)
    }
    const at = this.#add((id) => ({ kind: 'stop', id, topics }), added)
    return { epoch: at.epoch, id: at.messageId, stopped }
  }

  #add(entryOf: (id: number) => Entry, added: Entry[]): Cursor {
    this.#head += 1
    const entry = Object.freeze(entryOf(this.#head))
    this.#window.add(entry)
    this.#window.trim()
    added.push(entry)
    return { epoch: this.#epoch, messageId: this.#head }
  }
}
