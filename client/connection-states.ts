/** What a page may show of its channel. */
export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected'

/** What can befall a connection: the state that then follows each state. Where none is named, the state stays. */
export type ConnectionEvent = Readonly<Partial<Record<ConnectionState, ConnectionState>>>

/** `subscribe()` began a loop. */
export const SUBSCRIBED: ConnectionEvent = { disconnected: 'connecting' }

/** A good answer came. */
export const ANSWERED: ConnectionEvent = { connecting: 'connected', reconnecting: 'connected' }

/** An attempt failed, and another follows after a pause. */
export const FAILED: ConnectionEvent = { connecting: 'reconnecting', connected: 'reconnecting' }

/** The server forgot the client, the browser froze the page, or the network changed: ask anew at once. */
export const LOST: ConnectionEvent = { connected: 'reconnecting' }

/** The loop ended: `unsubscribe()`, `leave()`, the option `signal`, or a failure that no retry mends. */
export const ENDED: ConnectionEvent = {
  connecting: 'disconnected',
  connected: 'disconnected',
  reconnecting: 'disconnected',
}
