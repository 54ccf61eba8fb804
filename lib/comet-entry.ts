import type { PublicCometClient } from './comet-client.ts'
import type { CometMessage } from './comet-message.ts'

/** One item of the log. Nobody changes it: entries may share their parts, and are read by many. */
export type Entry =
  | MessageEntry
  | InitialiseEntry
  | UpdateEntry
  | JoinEntry
  | LeaveEntry
  | RemoveEntry
  | StopEntry

export interface MessageEntry extends CometMessage {
  readonly kind: 'message'
  readonly id: number
  /** Whom it is for: the union of these topics. */
  readonly topics: readonly string[]
  /** Public tokens that it is not for. */
  readonly except: readonly string[]
}

export interface InitialiseEntry {
  readonly kind: 'initialise'
  readonly id: number
  readonly publicToken: string
}

/** What others may know of a client has changed. */
export interface UpdateEntry {
  readonly kind: 'update'
  readonly id: number
  readonly generation: number
  /** As it is from now on. */
  readonly client: PublicCometClient
  /** The groups that it is a member of at this moment, in the order of joining. */
  readonly groups: readonly string[]
}

export interface JoinEntry {
  readonly kind: 'join'
  readonly id: number
  readonly generation: number
  readonly client: PublicCometClient
  readonly group: string
}

export interface LeaveEntry {
  readonly kind: 'leave'
  readonly id: number
  readonly generation: number
  readonly client: PublicCometClient
  readonly group: string
}

export interface RemoveEntry {
  readonly kind: 'remove'
  readonly id: number
  readonly publicToken: string
  readonly generation: number
}

/** One entry stops a whole audience: whoever is addressed by one of the topics when it is given its id. */
export interface StopEntry {
  readonly kind: 'stop'
  readonly id: number
  readonly topics: readonly string[]
  /** Public tokens that are not of the audience. */
  readonly except: readonly string[]
}
