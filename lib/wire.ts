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
  opened: 'aspNetComet.opened',
} as const

/** One element of the array that answers a poll; the data of one event of a stream. */
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

/**
 * The contents of `aspNetComet.replaced`: `'own'` if a newer request of the same page came, by a proxy that repeats
 * requests, for one. Such a page asks anew; any other has been taken over from, and stops.
 */
export type ReplacedContents = 'own' | null

/** The contents of `aspNetComet.opened`, the first event of a stream. */
export interface OpenedContents {
  /** When the server wrote it, in ISO 8601: tells a person who looks whether something held it back. */
  readonly date: string
  /** The server writes at least so often, if only a position. */
  readonly keepAliveSeconds: number
}

/** The answer of `POST …/register`; without `privateToken` if the page asked for a cookie, which scripts cannot read. */
export interface RegisterAnswer {
  readonly publicToken: string
  readonly privateToken: string
  readonly displayName: string
  /** `<epoch>:<messageId>`: where the new client begins to read. */
  readonly cursor: string
  readonly connectionTimeoutSeconds: number
  readonly connectionIdleSeconds: number
  readonly keepAliveSeconds: number
  readonly version: number
}
