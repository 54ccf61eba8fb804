import type { Claim, ClaimOutcome, ClaimReply } from './comet-claim.ts'
import type { CometClient } from './comet-client.ts'
import type { Entry } from './comet-entry.ts'
import type { Done, Operation, Outcome, SendOperation } from './comet-operation.ts'
import type { Cursor } from './cursor.ts'
import type { MembershipRecord } from './memberships.ts'

export type { Claim, ClaimOutcome, ClaimReply } from './comet-claim.ts'
export type {
  Entry,
  InitialiseEntry,
  JoinEntry,
  LeaveEntry,
  MessageEntry,
  RemoveEntry,
  StopEntry,
  UpdateEntry,
} from './comet-entry.ts'
export type {
  Done,
  InitialiseOperation,
  JoinOperation,
  LeaveOperation,
  Operation,
  Outcome,
  Refusal,
  RefusalCode,
  RemoveOperation,
  SendOperation,
  StopOperation,
  UpdateOperation,
} from './comet-operation.ts'

/**
 * Keeps the state of one channel: its log, its clients and their leases.
 *
 * The manager validates, serialises, and owns waiting, hooks and errors. A provider only keeps state, may trust its
 * arguments, and never sees HTTP.
 *
 * Every call settles in the end: a provider bounds its own calls to its store. One `append` is asked for at a time, and
 * one `renewLeases`. The manager waits no longer than its deadline; but while one of them is overdue it makes no
 * further one, and refuses what callers ask meanwhile, so that nothing lands out of order.
 *
 * `describeCometStateProvider` (`koa-comet/providers/contract`) checks all of this; `providers/README.md` tells how to
 * write one.
 */
export interface ICometStateProvider {
  readonly supports: ProviderSupports

  /**
   * Starts to keep the channel `name`. Before it resolves it calls `listener.reset` once with the retained window;
   * from then on `listener.entries` in id order, each entry once. Rejects if the store cannot be used. It ends, either
   * way, when `close` comes while it is under way.
   */
  open(name: string, listener: ProviderListener, retention: Retention): Promise<void>

  /** Resolves when all that the store held at the time of the call has reached the listener. */
  catchUp(): Promise<void>

  /**
   * Stops following and closes what the provider opened itself. It may come while `open` or another call is under way:
   * then both end. Once it has resolved nothing reaches the listener, a second call does nothing, and the provider
   * can be opened again.
   */
  close(): Promise<void>

  /**
   * Does the operations in order, each atomic with the record it changes. Resolves, when they are as durable as
   * `supports.durable` says, with one outcome for each. A refusal is an outcome; a rejection means that it is
   * unknown what was done: the first so many operations, perhaps all or none. Once rejected, no more of them is done.
   */
  append(operations: readonly Operation[]): Promise<Outcome[]>

  /**
   * Only with `supports.transactions`: adds the message to a transaction of the app, in this turn of the event loop, so
   * that both happen or neither. Throws at once what can be refused, before anything is written: a `CometException`
   * for what `append` would refuse, a TypeError for a transaction that it cannot use. The promise settles when the
   * transaction has ended and, if it was committed, the message was fed; it rejects with `COMET_ROLLED_BACK` if not.
   *
   * @param transaction what the store's own library begins transactions with; for the provider to check
   */
  sendWithin?(transaction: unknown, operation: SendOperation): Promise<Done>

  /**
   * The client whose private token has this hash, and the log position at which the record was read, as one.
   * `'stopped'` for the retention time after a stop entry hit it, then `undefined`.
   */
  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined>

  /** Those whom one of the topics addresses now, each once; all clients by default: as of what the listener was told, or later. */
  getClients(topics?: readonly string[]): AsyncIterable<CometClient>

  /**
   * Renews, takes or shortens leases. One answer for each, in order. A renewal that changes a lease sets the client's
   * `lastSeenAt`. A rejection means what it does for `append`.
   */
  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]>

  /**
   * Removes the clients whose lease ran out, by the store's own clock, as {@link RemoveOperation} does. Of several nodes
   * one alone gets each. Called every {@link SWEEP_PERIOD_SECONDS}; the store remembers when. If more than two
   * periods went by since, nobody could be seen in between, and that time is added to every lease first.
   */
  removeExpired(): Promise<RemovedClient[]>

  /**
   * Claims keys of what clients send, before their handlers run, so that no repetition runs them again. Each is one
   * atomic step, and as durable as an append. One answer for each, in order. A rejection means that it is unknown
   * which were claimed; whoever asks again with the same run is answered as if it had not asked.
   */
  claim(claims: readonly Claim[]): Promise<ClaimOutcome[]>

  /**
   * Records what a run came to, for repetitions. Does nothing for a claim that is not known, has a reply, or is another
   * run's. A reply may be dropped early, to keep within bounds, but not its claim: that one is `unknown` then.
   */
  settle(replies: readonly ClaimReply[]): Promise<void>
}

/** How often a manager calls `removeExpired`. */
export const SWEEP_PERIOD_SECONDS = 5

/** What a provider can do: data, so that nobody has to find out by trying. */
export interface ProviderSupports {
  /** Whether several processes can share its store. */
  readonly processes: 'one' | 'many'
  /**
   * Whether all that a call resolved for is still there after the process died, and after its machine lost power.
   * A provider that promises less says `false`: one whose newest entries a power cut can take, for one.
   */
  readonly durable: boolean
  /** How long an entry of another process can take to reach the listener, in milliseconds; 0 for one process. */
  readonly followDelayMs: number
  /** About how many bytes of names, contents and addresses one `append` takes; absent: no limit. */
  readonly maxBatchBytes?: number
  /** Whether it has {@link ICometStateProvider.sendWithin}. Absent: no. */
  readonly transactions?: boolean
}

/** How much of the log is retained: a message goes when any of the three is passed. */
export interface Retention {
  readonly seconds: number
  readonly messages: number
  readonly bytes: number
}

/** What a provider tells its manager. None of these throws, and none does more than take note. */
export interface ProviderListener {
  /** A life of the log begins, or its retained window has to be taken anew. */
  reset(log: RetainedLog): void
  /** What comes after everything told so far: ids strictly increasing, nothing below them appears later. */
  entries(entries: readonly Entry[]): void
  /** The provider has lost touch with its store, and cannot say whether the log has moved. */
  unavailable(error: unknown): void
  /** The provider is in touch again. */
  available(): void
}

export interface RetainedLog {
  /** The random name of this life of the log: 1 to 64 characters of `A-Z a-z 0-9 _ -`. */
  readonly epoch: string
  /** What is retained, by id. */
  readonly entries: readonly Entry[]
  /** The highest id given, or the position before the first. */
  readonly head: number
  /** Everything up to this id may be missing. A new epoch's is above all that earlier ones can have given. */
  readonly trimmedThrough: number
}

/** A client's record together with the log position it was read at. */
export interface ClientRecord extends MembershipRecord {
  readonly client: CometClient
  /** The page that has the lease; absent until one had it. */
  readonly holder?: string
  /** The highest position that a page of this client acknowledged, in the newest epoch it did so. */
  readonly acknowledged?: Cursor
  /** All entries up to this id are in the record, none after it is. */
  readonly asOf: number
}

export interface LeaseRenewal {
  readonly publicToken: string
  readonly generation: number
  /** The page on whose behalf this is asked: a random id per page life. */
  readonly holder: string
  /** Whether to take the lease from another page. Only asked together with `returns`. */
  readonly take: boolean
  /**
   * A request of the page itself came: it brings back a client whose page said goodbye. Without it a lease that a
   * goodbye shortened stays as it is, all of it, and the answer is `kept`: nodes renew also for what they saw a while
   * ago, before the page said goodbye to another.
   */
  readonly returns: boolean
  /** How long the client lives unseen from now on. */
  readonly seconds: number
  /** The page says goodbye: what ends this lease is its leaving, unless a page comes for it before. */
  readonly goodbye: boolean
  /** What the client has acknowledged. The store keeps the highest of an epoch. */
  readonly acknowledged?: Cursor
}

/**
 * `kept`: the lease runs as asked, or after a goodbye as it did. `elsewhere`: another page has it, and nothing was
 * changed. `gone`: no client with this public token and generation exists.
 */
export type LeaseOutcome = 'kept' | 'elsewhere' | 'gone'

export interface RemovedClient {
  readonly client: CometClient
  /** `stopped`: by a stop that was cut off, or came to its outcome, before all whom it hit were removed. */
  readonly reason: 'goodbye' | 'idle' | 'stopped'
}
