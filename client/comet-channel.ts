import type { ResetContents, WireMessage } from '../lib/wire.ts'
import { CometError } from './comet-error.ts'
import { type Connection, createConnection } from './connection.ts'
import type { ConnectionState } from './connection-states.ts'
import type { EventDetails } from './event-details.ts'
import { Http } from './http.ts'
import { Identity } from './identity.ts'
import { createListeners, type Handler, type Listeners } from './listeners.ts'
import {
  type CometChannelOptions,
  checkOptions,
  checkType,
  isToken,
  type PrivateToken,
  refusal,
  TRANSPORTS,
} from './options.ts'
import { PageMemory } from './page-memory.ts'
import type { TransportName } from './transport-choice.ts'

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

const CometEvents = EventTarget as new () => CometEventTarget

/**
 * The page's end of a channel: keeps one request open, and hands out what comes, in order and each message once.
 *
 * `Messages` names the channel's messages and the type of their contents, for `on`: `{ Time: string }`. Nothing checks
 * that they come like that.
 *
 * Messages come by a stream. When something between page and server holds streams back, or cuts three in a row within
 * 10 s, they come by long polls, for 5 minutes; then the channel tries beside its poll whether a stream gets through, and
 * if not, again after ever longer times, up to an hour. No message is lost or handed out twice. Where two requests in a
 * row are cut after about the same longer time, the next ones are asked to be shorter.
 *
 * Over HTTP/1.1 the pages of an origin hold at most four requests to a server: a browser opens six connections for all of
 * them. Other channels ask every 5 s, and take a place when one is free; in a tab that is seen, also that of one that is
 * not. Not so without Web Locks: plain http, but for localhost.
 *
 * What comes while nobody listens waits on the server: until there is a success handler, an `on` or a `for await`,
 * and the body of each `for await` has dealt with the message before. Until then a stream is read no further, and
 * ended after 8 s. Then the channel polls for what waits, every 20 s, or a quarter of the client's idle time if that is
 * shorter; with a token of the app's, for which that is not known, both are 5 s. So the server does not take the page for idle, and `state` says whether the server is there. Who lets it
 * wait until the server's log has dropped it sees `reset`.
 */
export class CometChannel<Messages extends object = Record<string, unknown>> extends CometEvents {
  readonly alias: string
  readonly #identity: Identity
  readonly #listeners: Listeners
  readonly #connection: Connection
  readonly #signal: AbortSignal | undefined

  /**
   * @param url where the channel is mounted; relative to the page, outside of a browser absolute
   * @param privateToken what the app's login gave; or a function that gets one, given what was kept over a reload and
   *   called again when the server has forgotten the client; or nothing: the channel registers itself
   * @param alias tells channels of one page apart in handlers
   * @throws TypeError for an argument or option that is not as described
   */
  constructor(
    url: string | URL,
    privateToken?: PrivateToken | null,
    alias = 'default',
    options: CometChannelOptions = {},
  ) {
    super()
    checkOptions(options)
    checkType('alias', 'string', alias)
    if (typeof privateToken !== 'function' && !isToken(privateToken ?? 'none')) {
      throw refusal('privateToken', 'visible ASCII or a function', typeof privateToken)
    }
    const { signal, log, transports = TRANSPORTS } = options
    const address = new Request(url).url
    const http = new Http(address, options)
    const memory = new PageMemory(options.storage, address, alias)
    const emit = <K extends keyof EventDetails>(type: K, detail: EventDetails[K]) =>
      this.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }))
    const onThrow = (cause: unknown) => {
      const isUnhandled = emit('error', new CometError('COMET_HANDLER_FAILED', true, { cause }))
      if (isUnhandled) (globalThis.reportError ?? console.error)(cause)
    }
    const identity = new Identity(privateToken, memory, http)
    const listeners = createListeners(onThrow)
    this.alias = alias
    this.#signal = signal
    this.#listeners = listeners
    this.#identity = identity
    this.#connection = createConnection({
      alias,
      http,
      identity,
      listeners,
      transports,
      emit,
    })
    if (log) listeners.add('log', log)
    signal?.addEventListener('abort', () => {
      this.unsubscribe()
      listeners.end()
    })
  }

  get state(): ConnectionState {
    return this.#connection.state
  }

  /** How messages come: `streaming` or `long-polling`. What is in use, or will be used first. */
  get transport(): TransportName {
    return this.#connection.transport
  }

  /** `<epoch>:<messageId>`: what this page has seen. Undefined until the server has said where the page is. */
  get cursor(): string | undefined {
    return this.#identity.cursor
  }

  get privateToken(): string | undefined {
    return this.#identity.token
  }

  /** The address of this client for others. Known only if the channel registered itself. */
  get publicToken(): string | undefined {
    return this.#identity.registration?.publicToken
  }

  /** Known only if the channel registered itself. */
  get displayName(): string | undefined {
    return this.#identity.registration?.displayName
  }

  /**
   * Calls the handler with each message. Handlers of all kinds are called in the order of their adding. What one
   * throws, or its promise rejects with, harms no other and does not stop the channel: it becomes an event `error`
   * (`COMET_HANDLER_FAILED`), and is reported as uncaught unless a listener of that calls `preventDefault()`. The
   * channel does not wait for promises of handlers. A handler that is there already is not added again.
   *
   * @returns a function that takes the handler away again
   */
  addSuccessHandler(handler: Handler<'success'>): () => void {
    return this.#listeners.add('success', handler)
  }

  /** Calls the handler with each failure, whether the channel goes on by itself (`willRetry`) or has stopped. */
  addFailureHandler(handler: Handler<'failure'>): () => void {
    return this.#listeners.add('failure', handler)
  }

  /**
   * Calls the handler each time the server had nothing to say for as long as it holds a poll. A stream has no timeouts:
   * who relies on them sets the option `transports` to `['long-polling']`.
   */
  addTimeoutHandler(handler: Handler<'timeout'>): () => void {
    return this.#listeners.add('timeout', handler)
  }

  /** Calls the handler with the contents of each message of that name. Returns a function that takes it away. */
  on<N extends keyof Messages & string>(
    name: N,
    handler: (contents: Messages[N], message: WireMessage) => unknown,
  ): () => void {
    checkType('handler', 'function', handler)
    return this.addSuccessHandler(
      (_token, _alias, message) => message.n === name && handler(message.c as Messages[N], message),
    )
  }

  /**
   * Begins, or goes on from where `unsubscribe()` stopped. Without effect while subscribed, and once the option
   * `signal` has aborted.
   */
  subscribe(): void {
    if (!this.#signal?.aborted) this.#connection.start()
  }

  /**
   * Pauses: the open request is ended at once, and no further message is handed out. A message that is being handed
   * out still reaches its other handlers. Without effect while not subscribed.
   */
  unsubscribe(): void {
    this.#connection.stop()
  }

  /**
   * Unsubscribes for good: ends every `for await`, forgets what a reload would resume from, and says goodbye to the
   * server. Resolves when the server has heard, or cannot; never rejects.
   */
  leave(): Promise<void> {
    return this.#connection.leave()
  }

  /**
   * Every message, from the start of the loop on. There is no buffer: the channel waits for the loop's body, and
   * counts a message as dealt with when the loop asks for the next; a page that was reloaded before that gets it
   * again. Ends at `leave()` and the abort of `signal`; throws the {@link CometError} of a failure that stops the
   * channel, as soon as its body is done. `unsubscribe()` only pauses it.
   */
  [Symbol.asyncIterator](): AsyncGenerator<WireMessage, void, undefined> {
    return this.#listeners.read()
  }
}
