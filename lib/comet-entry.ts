import type { CometMessage } from './comet-message.ts'

/** One item of the log. */
export type Entry = MessageEntry | InitialiseEntry | RemoveEntry | StopEntry

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
}
