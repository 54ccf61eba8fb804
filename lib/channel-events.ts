import { EventEmitter } from 'node:events'
import type { CometClient } from './comet-client.ts'

/** Why a client was removed. */
export type DisconnectReason = 'goodbye' | 'idle' | 'stopped'

/** The events of a channel and what their listeners are given. */
export interface ChannelEvents {
  /** A client was stored. On the node that initialised it. */
  clientInitialized: [client: CometClient]
  /**
   * A client sent a subscribe request: with long polling, each poll, but for one that is told that another page has
   * the client. On the node that got it.
   */
  clientSubscribed: [client: CometClient]
  /** A client subscribed that this node had not seen for more than 5 seconds, after `clientSubscribed`. */
  clientResumed: [client: CometClient]
  /** A client became a member of a group. Once, on the node that made it one; of groups from the start after `clientInitialized`. */
  clientJoined: [client: CometClient, detail: { readonly group: string }]
  /** A client is a member of a group no more. Once, as `clientJoined`; of one that was removed before `clientDisconnected`. */
  clientLeft: [client: CometClient, detail: { readonly group: string }]
  /** `updateClient` changed a client. On the node that did it. */
  clientUpdated: [client: CometClient]
  /** A client was removed. Once, on the node that removed it. */
  clientDisconnected: [client: CometClient, detail: { readonly reason: DisconnectReason }]
  /** A client was removed because it was idle or by `killIdleCometClient`, before `clientDisconnected`. */
  idleClientKilled: [client: CometClient]
  /**
   * The log has begun anew: the store was restarted, emptied or replaced, and who is held is told `reset`. On each
   * node, with the names of the new life and of the one that is over.
   */
  reset: [detail: { readonly epoch: string; readonly previous: string }]
  /** Something failed that no caller can be told of: the provider in the background, a listener, an option's function. */
  error: [error: unknown]
}

const EVENTS: ReadonlySet<string> = new Set<keyof ChannelEvents>([
  'clientInitialized',
  'clientSubscribed',
  'clientResumed',
  'clientJoined',
  'clientLeft',
  'clientUpdated',
  'clientDisconnected',
  'idleClientKilled',
  'reset',
  'error',
])

/**
 * Tells the app. Listeners are called after the work that they are told of, in order, and not awaited; one that throws or rejects is
 * reported as `error` and harms nobody. An `error` without a listener becomes a process warning.
 */
export class ChannelEmitter {
  // Many listeners of one event are no leak.
  readonly #emitter = new EventEmitter().setMaxListeners(0)

  /** Adds a listener; the returned function takes it off. */
  on<E extends keyof ChannelEvents>(
    event: E,
    listener: (...detail: ChannelEvents[E]) => unknown,
  ): () => void {
    if (!EVENTS.has(event))
      throw new TypeError(`No event '${event}'. The events are: ${[...EVENTS].join(', ')}.`)
    if (typeof listener !== 'function') {
      throw new TypeError(`The listener of '${event}' must be a function, not ${typeof listener}.`)
    }
    const guarded = (...detail: ChannelEvents[E]): Promise<void> => this.#run(event, listener, detail)
    this.#emitter.on(event, guarded)
    return () => this.#emitter.off(event, guarded)
  }

  emit<E extends keyof ChannelEvents>(event: E, ...detail: ChannelEvents[E]): void {
    if (this.#emitter.listenerCount(event) > 0) this.#emitSoon(event, detail)
    else if (event === 'error') warn(detail[0])
  }

  /** Tells that a client was stored. */
  emitInitialized(client: CometClient): void {
    this.emit('clientInitialized', client)
    for (const group of client.groups) this.emit('clientJoined', client, { group })
  }

  /** Tells that a client was removed. */
  emitRemoval(client: CometClient, reason: DisconnectReason): void {
    for (const group of client.groups) this.emit('clientLeft', client, { group })
    if (reason === 'idle') this.emit('idleClientKilled', client)
    this.emit('clientDisconnected', client, { reason })
  }

  #emitSoon<E extends keyof ChannelEvents>(event: E, detail: ChannelEvents[E]): void {
    setImmediate(() => {
      if (this.#emitter.listenerCount(event) > 0) this.#emitter.emit(event, ...detail)
      else if (event === 'error') warn(detail[0])
    })
  }

  async #run<E extends keyof ChannelEvents>(
    event: E,
    listener: (...detail: ChannelEvents[E]) => unknown,
    detail: ChannelEvents[E],
  ): Promise<void> {
    try {
      await listener(...detail)
    } catch (error) {
      // A listener of 'error' that throws must not be told of its own throwing.
      if (event === 'error') warn(error)
      else this.emit('error', error)
    }
  }
}

function warn(error: unknown): void {
  // As text: an Error of another realm, as test runners make them, would be refused with a throw.
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
