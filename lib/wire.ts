/**
 * What travels between server and page. Types and names only: the browser client imports this file too.
 */

/** The version of the wire format, sent by `POST …/register`. */
export const WIRE_VERSION = 1

/** Names the channel keeps for itself. An app cannot send a message whose name begins so. */
export const RESERVED_PREFIX = 'aspNetComet.'

/** The control messages of this version. A client ignores reserved names that it does not know. */
export const ControlName = {
  timeout: 'aspNetComet.timeout',
  reset: 'aspNetComet.reset',
  replaced: 'aspNetComet.replaced',
  error: 'aspNetComet.error',
} as const

/** One element of the array that answers a poll. */
export interface WireMessage {
  /** The message's id in the channel's log; for control messages the position they speak of. */
  readonly mid: number
  /** The message's name. */
  readonly n: string
  /** Its contents: any JSON value. */
  readonly c: unknown
  /** Only on `aspNetComet.error`: the stable error code. */
  readonly code?: string
}

/** Why a page cannot be given everything since its cursor. `forgotten` is found out by the page itself. */
export type ResetReason = 'epoch' | 'trimmed' | 'forgotten'

/** The contents of `aspNetComet.reset`. */
export interface ResetContents {
  readonly reason: ResetReason
  readonly epoch: string
  /** The position from which on nothing is missing. */
  readonly messageId: number
}

/** The answer of `POST …/register`. */
export interface RegisterAnswer {
  readonly publicToken: string
  readonly privateToken: string
  readonly displayName: string
  /** `<epoch>:<messageId>`: where the new client begins to read. */
  readonly cursor: string
  readonly connectionTimeoutSeconds: number
  readonly connectionIdleSeconds: number
  readonly version: number
}
