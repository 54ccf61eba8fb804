/** What a page may show of its channel. */
export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected'

/** What can befall a connection. */
export type ConnectionEvent =
  /** `subscribe()` began a loop. */
  | 'subscribed'
  /** A good answer came. */
  | 'answered'
  /** An attempt failed, and another follows after a pause. */
  | 'failed'
  /** The server forgot the client, the browser froze the page, or the network changed: ask anew at once. */
  | 'lost'
  /** The loop ended: `unsubscribe()`, `leave()`, the option `signal`, or a failure that no retry mends. */
  | 'ended'

/** The state that follows each state at each event. Where none is named, the state stays. */
export const CONNECTION_STATES: Readonly<
  Record<ConnectionEvent, Readonly<Partial<Record<ConnectionState, ConnectionState>>>>
> = {
  subscribed: { disconnected: 'connecting' },
  answered: { connecting: 'connected', reconnecting: 'connected' },
  failed: { connecting: 'reconnecting', connected: 'reconnecting' },
  lost: { connected: 'reconnecting' },
  ended: { connecting: 'disconnected', connected: 'disconnected', reconnecting: 'disconnected' },
}
