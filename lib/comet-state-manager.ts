import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Context, Middleware } from 'koa'
import type { Audience } from './audience.ts'
import { ChannelClients, type ClientCounts } from './channel-clients.ts'
import { ChannelEmitter, type ChannelEvents } from './channel-events.ts'
import { ChannelNode } from './channel-node.ts'
import { type ChannelStats, statsOf } from './channel-stats.ts'
import { checkPublicToken, checkToken } from './checks.ts'
import type { CometClient, InitializedCometClient } from './comet-client.ts'
import type { ICometStateProvider } from './comet-state-provider.ts'
import { type CloseOptions, checkClose, completeOptions } from './complete-options.ts'
import type { Cursor } from './cursor.ts'
import type { RequestServer } from './handlers/fast-lane.ts'
import { Routes } from './handlers/routes.ts'
import { type HistoryOptions, messagesOf, type SentMessage } from './history.ts'
import type { InitializeParameters, UpdateParameters } from './initialize-parameters.ts'
import type {
  AnyMessages,
  AnyRequests,
  ContentsAndOptions,
  ContentsOf,
  RequestTypes,
  ResultOf,
} from './message-types.ts'
import type { Awaitable, CometOptions, CompleteOptions } from './options.ts'
import { checkSend, isWithinTransaction, type SendOptions } from './send-parameters.ts'
import type { MessageHandler, Sent } from './upstream/message-handlers.ts'

/**
 * One channel: pages subscribe to it over plain HTTP, the app sends messages to them, and the state provider keeps
 * what must not be lost. Opens at first use.
 *
 * `Messages` names what the app sends, with the types of the contents; `Requests` what pages send, with the types of
 * contents and results; `C` is the app's own type of Koa's context.
 */
export class CometStateManager<
  Messages extends object = AnyMessages,
  Requests extends RequestTypes<Requests> = AnyRequests,
  C extends Context = Context,
> {
  readonly #options: CompleteOptions
  readonly #events = new ChannelEmitter()
  readonly #node: ChannelNode
  readonly #clients: ChannelClients
  readonly #routes: Routes
  #closed: Promise<void> | undefined

  /** @throws TypeError or RangeError if an option is unknown or has a value that cannot be */
  constructor(provider: ICometStateProvider, options: CometOptions<C> = {}) {
    if (typeof provider?.append !== 'function' || typeof provider.supports !== 'object') {
      throw new TypeError(
        'CometStateManager takes a state provider first: new InProcCometStateProvider(), for one.',
      )
    }
    // What Koa hands to the middleware is what the app has made of its context.
    this.#options = completeOptions(options as CometOptions)
    this.#node = new ChannelNode(provider, this.#options, this.#events)
    this.#clients = new ChannelClients(this.#node, this.#options, this.#events)
    this.#routes = new Routes(this.#node, this.#options, this.#clients)
  }

  /** Opens the provider. Need not be called, but reports at start what else the first use would; may be called again. */
  open(): Promise<void> {
    return this.#node.open()
  }

  /**
   * Makes a client. Messages are kept for it from now on, and it lives for its idle time even if it never subscribes.
   * The result has the private token, which is given out this once.
   * @throws COMET_PARAMETERS_ARE_INVALID, COMET_CLIENT_ALREADY_EXISTS, COMET_TOO_MANY_CLIENTS and others, or as {@link open}
   */
  initializeClient(parameters: InitializeParameters): Promise<InitializedCometClient> {
    return this.#clients.initialize(parameters)
  }

  /** The client that bears a private token. Rejects with COMET_CLIENT_DOES_NOT_EXIST. */
  getCometClient(privateToken: string): Promise<CometClient> {
    return this.#clients.find(privateToken)
  }

  /** The clients of an audience, on whatever node; may lag a little behind. Default: all. */
  getClients(audience: Audience = {}): AsyncGenerator<CometClient> {
    return this.#clients.list(audience)
  }

  /** How many clients an audience has, and how many users among them. Goes through all of them. Default: all. */
  countClients(audience: Audience = {}): Promise<ClientCounts> {
    return this.#clients.count(audience)
  }

  /**
   * Makes a client a member of a group: any text of 1 to 128 characters. It gets what is sent to the group above the id
   * that this resolves with. A group is there as long as it has members. Without effect on a member.
   * @throws COMET_CLIENT_DOES_NOT_EXIST, COMET_CLIENT_HAS_TOO_MANY_GROUPS, COMET_PARAMETERS_ARE_INVALID
   */
  async joinGroup(publicToken: string, group: string): Promise<number> {
    checkPublicToken(publicToken)
    return this.#clients.join({ publicToken }, group)
  }

  /** Ends a membership: what was sent before still reaches the client. False if it was none. Throws as {@link joinGroup}. */
  async leaveGroup(publicToken: string, group: string): Promise<boolean> {
    checkPublicToken(publicToken)
    return this.#clients.leave({ publicToken }, group)
  }

  /** Changes what others may see of a client. Throws as {@link joinGroup}. Resolves with the client as it is then. */
  async updateClient(publicToken: string, changed: UpdateParameters): Promise<CometClient> {
    return this.#clients.update(publicToken, changed)
  }

  /**
   * Sends a message to everybody, or to whom the options say. Resolves with its id once the provider holds it.
   * `contents` is any JSON value; `undefined` is sent as null.
   *
   * With the option `transaction` it is sent within a transaction of the app: what can be refused is thrown at once,
   * so that the transaction rolls back; the promise settles when the transaction has ended. It does not wait for what
   * was asked before and not awaited, and the channel has to be open.
   *
   * @throws COMET_CLIENT_DOES_NOT_EXIST if it is for one unknown client alone; COMET_PARAMETERS_ARE_INVALID,
   *   COMET_MESSAGE_IS_TOO_LARGE, COMET_QUEUE_IS_FULL, COMET_PROVIDER_IS_UNAVAILABLE, COMET_CHANNEL_IS_CLOSED;
   *   with `transaction` COMET_ROLLED_BACK, COMET_CHANNEL_IS_NOT_OPEN; TypeError for options that are none
   */
  sendMessage<N extends keyof Messages & string>(
    name: N,
    ...sent: ContentsAndOptions<Messages[N], SendOptions>
  ): Promise<number>
  sendMessage(name: string, contents?: unknown, options: SendOptions = {}): Promise<number> {
    if (isWithinTransaction(options)) {
      return this.#node.sendWithin(options.transaction, checkSend(name, contents, options, this.#options))
    }
    // Not `async`, which would take longer than the checks.
    try {
      return this.#node.append(checkSend(name, contents, options, this.#options), ({ id }) => id)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Ends clients for good: their pages are told and stay away, their tokens are dead. All of an audience at once: who
   * joins a group after that is not of it. Resolves with how many they were, or of many thousands were by then.
   * @param whom a public token, or an audience; everybody is `{ except: [] }`
   */
  async stopClient(whom: string | Audience): Promise<number> {
    return this.#clients.stop(whom)
  }

  /** Removes a client as if it had been idle too long: its page may initialise anew. COMET_CLIENT_DOES_NOT_EXIST. */
  killIdleCometClient(privateToken: string): Promise<void> {
    return this.#clients.killIdle(privateToken)
  }

  /**
   * Handles what pages send by this name: the page's promise resolves with what the handler gives, any JSON value, and
   * rejects with a `CometRefusal` that it throws, or what `ctx.throw(403, 'text')` throws. Of anything else the page
   * learns only that the app failed; the event `error` has it. What one client sends is handled in order, each send
   * once, though its request may be repeated. The returned function ends that.
   * @throws TypeError if the name has a handler already
   */
  onMessage<N extends keyof Requests & string, S extends StandardSchemaV1<unknown, ContentsOf<Requests[N]>>>(
    name: N,
    handler: (contents: StandardSchemaV1.InferOutput<S>, sent: Sent<C>) => Awaitable<ResultOf<Requests[N]>>,
    options: { readonly schema: S },
  ): () => void
  onMessage<N extends keyof Requests & string>(
    name: N,
    handler: (contents: ContentsOf<Requests[N]>, sent: Sent<C>) => Awaitable<ResultOf<Requests[N]>>,
  ): () => void
  onMessage(name: string, handler: MessageHandler, options: { readonly schema?: StandardSchemaV1 } = {}) {
    return this.#node.upstream.handlers.add(name, handler, options)
  }

  /** Listens to an event of {@link ChannelEvents}. The returned function ends that. */
  on<E extends keyof ChannelEvents>(
    event: E,
    listener: (...detail: ChannelEvents[E]) => unknown,
  ): () => void {
    return this.#events.on(event, listener)
  }

  /**
   * All addresses of the channel as one middleware: `path` itself to subscribe at, and `register`, `send`, `groups`,
   * `clients`, `goodbye`, `client.js` and `client.global.js` below it, as far as options switch them on.
   * @param path as `ctx.path` shows it where the middleware is used. Default `'/comet'`.
   */
  mount(path = '/comet'): Middleware {
    return this.#routes.mount(path)
  }

  /** The subscribe address alone, for `router.all('/comet', channel.subscribe())`. */
  subscribe(): Middleware {
    return this.#routes.subscribe()
  }

  /**
   * Takes the requests of pages that subscribe from the server before Koa sees them, which costs less. No middleware is
   * asked about them, nor any listener that the server had. All else goes to these as before: mount the channel, too.
   * Call it when the app is the server's. The returned function ends that, and so does `close`.
   * @param path of the whole URL, as the server sees it. Default `'/comet'`.
   * @throws TypeError with the option `identify` or `authorize`, which need the app's context, or for a server without app
   */
  attach(server: RequestServer, path = '/comet'): () => void {
    return this.#routes.attach(server, path)
  }

  /** Gives a page its private token as a cookie, for a native EventSource. Over plain HTTP it warns, once. */
  setTokenCookie(ctx: Context, privateToken: string): void {
    checkToken('privateToken', privateToken)
    this.#routes.cookie.give(ctx, privateToken)
  }

  /**
   * What this node has applied: render a page, hand this to `initializeClient({ from })`, and the page misses nothing
   * that came in between. Take it before you read the state that you render.
   * @throws COMET_CHANNEL_IS_NOT_OPEN before it is, COMET_CHANNEL_IS_CLOSED after
   */
  cursor(): Cursor {
    this.#node.checkOpen()
    const { epoch, head } = this.#node.log
    return { epoch, messageId: head }
  }

  /**
   * What of the messages to everybody, or to a group, is retained: the newest `limit`, in their order, as this node has
   * applied them. With the `cursor()` of the same turn, a page that shows them misses nothing and repeats nothing.
   * @throws COMET_CHANNEL_IS_NOT_OPEN, COMET_CHANNEL_IS_CLOSED; COMET_PARAMETERS_ARE_INVALID
   */
  getMessages(options: HistoryOptions = {}): SentMessage[] {
    this.#node.checkOpen()
    return messagesOf(this.#node.log, options)
  }

  stats(): ChannelStats {
    return statsOf(this.#node)
  }

  /**
   * Sends pages elsewhere, finishes what is being sent, closes the provider. New requests are refused at once. Those
   * that are held end one after another, at least 20 a second; until the last one has ended, messages can be sent and
   * reach who is still there. From then on all else is refused: await your last sends first. A second call returns the
   * first one's promise.
   * @param overSeconds how long that may take, so that pages do not come back together. Default 5; 0 ends all at once.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const overSeconds = checkClose(options)
    this.#closed ??= this.#node.close(overSeconds).finally(() => this.#routes.detach())
    return this.#closed
  }
}
