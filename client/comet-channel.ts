import type { ClientsAnswer, SendAnswer, WireMessage } from '../lib/wire.ts'
import { CometEvents } from './channel-events.ts'
import { createParts } from './channel-parts.ts'
import type { Connection, Emit } from './connection.ts'
import type { ConnectionState } from './connection-states.ts'
import type { Identity } from './identity.ts'
import type { Handler, Listeners } from './listeners.ts'
import type { AnyRequests, ContentsToSend, PresenceNotices, ResultOf } from './message-types.ts'
import { type CometChannelOptions, checkedGroup, checkType, type PrivateToken } from './options.ts'
import { clientsRequest, groupsRequest, sendRequest } from './page-requests.ts'
import type { TransportName } from './transport-choice.ts'

/**
 * The page's end of a channel: keeps one request open, and hands out what comes, in order and each message once.
 *
 * `Messages` names the channel's messages and the type of their contents, for `on`: `{ Time: string }`. `Requests` names
 * what the page sends: `{ Say: { contents: { text: string }; result: number } }`. Nothing checks that they come like that.
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
export class CometChannel<
  Messages extends object = Record<string, unknown>,
  Requests extends object = AnyRequests,
> extends CometEvents {
  readonly alias: string
  readonly #identity: Identity
  readonly #listeners: Listeners
  readonly #connection: Connection
  readonly #signal: AbortSignal | undefined
  /** How much was sent: no two have the same key. */
  #sent = 0

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
    const emit: Emit = (type, detail) =>
      this.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }))
    const { identity, listeners, connection } = createParts(url, privateToken, alias, options, emit)
    this.alias = alias
    this.#identity = identity
    this.#listeners = listeners
    this.#connection = connection
    this.#signal = options.signal
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

  /**
   * Calls the handler with the contents of each message of that name; or with each notice of presence, as
   * `aspNetComet.join`. Returns a function that takes it away.
   */
  on<N extends keyof (Messages & PresenceNotices) & string>(
    name: N,
    handler: (contents: (Messages & PresenceNotices)[N], message: WireMessage) => unknown,
  ): () => void {
    checkType('handler', 'a function', handler)
    return this.addSuccessHandler(
      (_token, _alias, message) => message.n === name && handler(message.c as never, message),
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
   * server. What was sent and is not answered yet is rejected. Resolves when the server has heard, or cannot; never
   * rejects.
   */
  leave(): Promise<void> {
    return this.#connection.leave()
  }

  /**
   * Sends something to the app's handler of that name. Resolves with its result.
   *
   * Sends, joins and leaves go one at a time, in the order of their calls. Each is repeated over drops and outages until
   * it is answered; a handler runs once for all repetitions. They wait until the channel has a token, and go on while it
   * is unsubscribed. What is not answered when the page ends, or is reloaded, is lost.
   *
   * Rejects with a `CometError`:
   *
   * - the handler's refusal, with its `code` and `details`; or what else no repetition mends
   * - 5 minutes after the first attempt: the last failure
   * - `COMET_OUTCOME_IS_UNKNOWN` instead of that, if the handler may have run; also if it may have, and then the server
   *   forgot the client, or refused a repetition with 401 or 403. What cannot have run goes as the next client
   * - `COMET_IDENTITY_HAS_CHANGED`: but not as another user
   * - `COMET_REPLACED`, `COMET_CLIENT_IS_STOPPED`, `COMET_LEFT`, and what else ends a channel without a token: at once,
   *   also what is sent from then on until `subscribe()`. What was on its way may have run
   * - `COMET_QUEUE_IS_FULL`: 1,000 sends, joins and leaves wait
   *
   * @param contents any JSON value; it is read at once. Left out, the handler is given `undefined`
   */
  async send<N extends keyof Requests & string>(
    name: N,
    ...[contents]: ContentsToSend<Requests[N]>
  ): Promise<ResultOf<Requests[N]>> {
    checkType('name', 'a string', name)
    const key = `${this.#identity.page}-${++this.#sent}`
    const answer = await this.#connection.upstream.askInTurn(sendRequest(name, contents, key))
    return (answer as SendAnswer).c as ResultOf<Requests[N]>
  }

  /**
   * Has the client join a group, if the server's option `joinable` lets it. Resolves when it is a member, also when it
   * was one before. When the server has forgotten the client, the next one joins the groups that the page joined,
   * before the event `reset`; one that refuses then is told as a failure. A name is the same in whatever way Unicode
   * spells it (NFC). Rejects as `send` does.
   */
  joinGroup(name: string): Promise<void> {
    return this.#changeGroup(name, 'join', 'add')
  }

  /** Resolves when the client is no member, also when it was none before. Rejects as `send` does. */
  leaveGroup(name: string): Promise<void> {
    return this.#changeGroup(name, 'leave', 'delete')
  }

  /**
   * Who is in a group, or, without one, there at all, as the server's option `clientList` lets it know. Notices of
   * presence with a `mid` above `asOf` come on top. Does not wait for what was sent before; apart from that it goes, and
   * rejects, as `send`.
   */
  async getClients(group?: string): Promise<ClientsAnswer> {
    const request = clientsRequest(group === undefined ? group : checkedGroup(group))
    return (await this.#connection.upstream.askBeside(request)) as ClientsAnswer
  }

  async #changeGroup(name: string, kind: 'join' | 'leave', method: 'add' | 'delete'): Promise<void> {
    const group = checkedGroup(name)
    await this.#connection.upstream.askInTurn(groupsRequest({ [kind]: [group] }))
    this.#identity.groups[method](group)
    this.#identity.keep(false)
  }

  /**
   * Every message, from the start of the loop on. There is no buffer: the channel waits for the loop's body, and
   * counts a message as dealt with when the loop asks for the next; a page that was reloaded before that gets it
   * again. Ends at `leave()` and the abort of `signal`; throws the `CometError` of a failure that stops the
   * channel, as soon as its body is done. `unsubscribe()` only pauses it.
   */
  [Symbol.asyncIterator](): AsyncGenerator<WireMessage, void, undefined> {
    return this.#listeners.read()
  }
}
