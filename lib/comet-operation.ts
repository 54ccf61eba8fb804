import type { CometClient, NewCometClient } from './comet-client.ts'
import type { CometMessage } from './comet-message.ts'
import type { Cursor } from './cursor.ts'

/** What the manager asks a provider to do, each atomic with the record that it changes and the entries that it adds. */
export type Operation =
  | SendOperation
  | InitialiseOperation
  | UpdateOperation
  | JoinOperation
  | LeaveOperation
  | RemoveOperation
  | StopOperation

export interface SendOperation extends CometMessage {
  readonly kind: 'send'
  readonly topics: readonly string[]
  readonly except: readonly string[]
  /** Refuse with `COMET_CLIENT_DOES_NOT_EXIST` unless this client exists. */
  readonly receiver?: string
  /**
   * A repetition with a key that is still known answers the first id and stores nothing. A key is known for the
   * retention time at least, up to a number of the provider's choice, of 1,000 at least.
   */
  readonly key?: string
}

/**
 * Adds an initialise entry, and behind it a join entry for each of the client's groups, in their order; what it is a
 * member of from the start counts from its generation. Refused with `COMET_CLIENT_ALREADY_EXISTS` if either token is in
 * use or the private one was stopped, with `COMET_TOO_MANY_CLIENTS` if `maxClients` exist, and with
 * `COMET_USER_HAS_TOO_MANY_CLIENTS` if `maxClientsPerUser` of its `userId` do.
 */
export interface InitialiseOperation {
  readonly kind: 'initialise'
  readonly client: NewCometClient
  readonly privateTokenHash: string
  /** Where to start reading; absent: at the initialise entry itself. */
  readonly from?: Cursor
  /** How long the client lives unseen from now on. */
  readonly leaseSeconds: number
  readonly maxClients: number
  readonly maxClientsPerUser: number
}

/** Whom an operation is about. Refused with `COMET_CLIENT_DOES_NOT_EXIST` unless it exists. */
interface OfClient {
  readonly publicToken: string
  /** Absent: whoever bears the public token. */
  readonly generation?: number
}

/** Changes what others may know of a client, by an update entry. What is absent stays as it is. */
export interface UpdateOperation extends OfClient {
  readonly kind: 'update'
  readonly displayName?: string
  readonly data?: unknown
}

/**
 * Makes a client a member of a group, by a join entry. Of a member already nothing is added. Refused with
 * `COMET_CLIENT_HAS_TOO_MANY_GROUPS` if it is a member of `maxGroups`.
 */
export interface JoinOperation extends OfClient {
  readonly kind: 'join'
  readonly group: string
  readonly maxGroups: number
}

/** Ends a membership, by a leave entry. Of no member nothing is added. */
export interface LeaveOperation extends OfClient {
  readonly kind: 'leave'
  readonly group: string
}

/** Adds a leave entry for each group that the client is a member of, in the order of joining, and then a remove entry. */
export interface RemoveOperation extends OfClient {
  readonly kind: 'remove'
  readonly generation: number
}

/**
 * Removes the audience, those whom one of the topics addresses when the stop entry is given its id, and remembers their
 * private tokens as stopped. From that entry on they are as good as removed, on every node, also while the store
 * still removes them, in steps if it likes: each with its leave entries, and without a remove entry. Never refused; an
 * empty audience is fine.
 */
export interface StopOperation {
  readonly kind: 'stop'
  readonly topics: readonly string[]
  /** Public tokens that are not of the audience. */
  readonly except: readonly string[]
}

export type Outcome = Done | Refusal

export interface Done {
  /** That of the entry that says what was done: not of the join and leave entries that come with it. */
  readonly id: number
  /** The life of the log that gave the id; of a repetition by its key, the present one. */
  readonly epoch: string
  /** Of a join or leave: it was so already, nothing was added, and the id is any position at which it was so. */
  readonly unchanged?: true
  /** Of initialise, update, join, leave: the record as it is now. Of remove: as it was. */
  readonly client?: CometClient
  /** Of stop: the clients that were removed by now, as they were. Those who follow, `removeExpired` answers with. */
  readonly stopped?: readonly CometClient[]
}

export interface Refusal {
  readonly refused: RefusalCode
}

export type RefusalCode =
  | 'COMET_CLIENT_ALREADY_EXISTS'
  | 'COMET_CLIENT_DOES_NOT_EXIST'
  | 'COMET_CLIENT_HAS_TOO_MANY_GROUPS'
  | 'COMET_TOO_MANY_CLIENTS'
  | 'COMET_USER_HAS_TOO_MANY_CLIENTS'
