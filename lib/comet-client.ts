import type { Cursor } from './cursor.ts'

/** What other clients may know of a client. */
export interface PublicCometClient {
  /** The client's address for others. */
  readonly publicToken: string
  readonly displayName: string
  /** Any JSON value; `null` if none was given. */
  readonly data: unknown
}

/** The server's record of one subscriber. It lives in the state provider; a poll or a stream is only a lease on it. */
export interface CometClient extends PublicCometClient {
  /** The principal it is bound to, if it was initialised with one. */
  readonly userId?: string
  /** The app's session it belongs to, if it was initialised with one. */
  readonly sessionId?: string
  /** The groups it is a member of, by name, in the order of joining. */
  readonly groups: readonly string[]
  /** When it was initialised: milliseconds since 1970 by the store's clock. For display only. */
  readonly createdAt: number
  /** When it was last seen: milliseconds since 1970 by the store's clock, exact to a third of the idle time. */
  readonly lastSeenAt: number
  /** How long a subscribe request of this client is held without a message. */
  readonly connectionTimeoutSeconds: number
  /** How long this client may be without a connection before it is removed. */
  readonly connectionIdleSeconds: number
  /** The id of its initialise entry. Tells two bearers of one public token apart. */
  readonly generation: number
  /** Where it starts to read: its generation unless the app gave an earlier cursor. */
  readonly start: Cursor
}

/** What {@link CometClient} becomes of: all that does not depend on the log or the store's clock. */
export type NewCometClient = Omit<CometClient, 'createdAt' | 'lastSeenAt' | 'generation' | 'start'>

/** The part of a record that others may see. */
export function publicPartOf({ publicToken, displayName, data }: PublicCometClient): PublicCometClient {
  return { publicToken, displayName, data }
}

/** A client as `initializeClient` hands it out: the only time its private token is seen. */
export interface InitializedCometClient extends CometClient {
  /** The secret that lets its bearer receive as this client. Only its SHA-256 is stored. */
  readonly privateToken: string
}
