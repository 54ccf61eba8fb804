import type { ResetContents } from '../lib/wire.ts'
import type { CometError } from './comet-error.ts'
import type { EventDetails } from './event-details.ts'

/** The events of a {@link CometChannel}; each is a CustomEvent. */
export interface CometChannelEventMap {
  /** The state has changed. */
  statechange: CustomEvent<EventDetails['statechange']>
  /** Messages may be missing: load what the page shows anew. */
  reset: CustomEvent<ResetContents>
  /**
   * Nothing has come by the stream for two thirds of the time after which it is given up: 20 s, unless the server's
   * `keepAliveSeconds` is another than 15. Comes once, and again only after a sign of the server; the state stays.
   */
  connectionslow: CustomEvent<null>
  /** Something failed; `detail.willRetry` says whether the channel goes on by itself. */
  error: CustomEvent<CometError>
}

interface CometEventTarget extends EventTarget {
  addEventListener<K extends keyof CometChannelEventMap>(
    type: K,
    listener: ((event: CometChannelEventMap[K]) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
}

/** An EventTarget that knows these events. */
export const CometEvents = EventTarget as new () => CometEventTarget
