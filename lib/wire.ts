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

/** The notices of presence. They come as messages do, in the same order, and are handed to the page. */
export const NoticeName = {
  join: 'aspNetComet.join',
  leave: 'aspNetComet.leave',
  update: 'aspNetComet.update',
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
  /** Only on `aspNetComet.error`: what the app's refusal has to say beside its text. */
  readonly details?: unknown
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

/** What pages know of a client. */
export interface WireClient {
  readonly publicToken: string
  readonly displayName: string
  readonly data: unknown
}

/** The contents of `aspNetComet.join` and `aspNetComet.leave`. */
export interface MembershipContents {
  readonly group: string
  readonly client: WireClient
}

/** The contents of `aspNetComet.update`. */
export interface UpdateContents {
  /** As it is from now on. */
  readonly client: WireClient
}

/** The answer of `POST …/send`: what the app's handler gave. */
export interface SendAnswer {
  readonly c: unknown
}

/** The answer of `POST …/groups`. */
export interface GroupsAnswer {
  /** What the client is a member of now. */
  readonly groups: readonly string[]
}

/** The answer of `GET …/clients`. */
export interface ClientsAnswer {
  /** The first of them, up to a number of the server's choice. */
  readonly clients: readonly WireClient[]
  /** How many there are in all: clients, and users of the app among them. */
  readonly counts: { readonly clients: number; readonly users: number }
  /** Notices of presence with a higher id come on top of this list. */
  readonly asOf: number
}
