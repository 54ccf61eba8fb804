import type { Context, Middleware } from 'koa'
import { ChannelEmitter, type ChannelEvents } from './channel-events.ts'
import { ChannelNode } from './channel-node.ts'
import { type ChannelStats, statsOf } from './channel-stats.ts'
import type { CometClient, InitializedCometClient } from './comet-client.ts'
import { CometException, ErrorText } from './comet-exception.ts'
import type { ICometStateProvider, InitialiseOperation } from './comet-state-provider.ts'
import { type Cursor, FOREIGN_CURSOR } from './cursor.ts'
import { eachWithDeadline, withDeadline } from './deadline.ts'
import { ClientScriptEndpoint } from './handlers/client-script-endpoint.ts'
import { GoodbyeEndpoint } from './handlers/goodbye-endpoint.ts'
import { type Endpoint, guarded } from './handlers/guarded.ts'
import { mountAt } from './handlers/mount.ts'
import { Origins } from './handlers/origins.ts'
import { RegisterEndpoint } from './handlers/register-endpoint.ts'
import { SubscribeEndpoint } from './handlers/subscribe-endpoint.ts'
import { TokenCookie } from './handlers/token-cookie.ts'
import { checkParameters, checkToken, type InitializeParameters } from './initialize-parameters.ts'
import {
  type CloseOptions,
  type CometOptions,
  type CompleteOptions,
  checkClose,
  completeOptions,
} from './options.ts'
import { hashToken } from './private-token.ts'
import { checkSend, isWithinTransaction, type SendOptions } from './send-parameters.ts'
import { leaseSeconds } from './subscribe/client-lease.ts'
import { clientTopic } from './topics.ts'

/**
 * One channel: pages subscribe to it over plain HTTP, the app sends messages to them, and the state provider keeps
 * what must not be lost. Opens at first use.
 */
export class CometStateManager {
  readonly #options: CompleteOptions
  readonly #events = new ChannelEmitter()
  readonly #node: ChannelNode
  readonly #origins: Origins
  readonly #cookie: TokenCookie

  /** @throws TypeError or RangeError if an option is unknown or has a value that cannot be */
  constructor(provider: ICometStateProvider, options: CometOptions = {}) {
    if (typeof provider?.append !== 'function' || typeof provider.supports !== 'object') {
      throw new TypeError(
        'CometStateManager takes a state provider first: new InProcCometStateProvider(), for one.',
      )
    }
    this.#options = completeOptions(options)
    this.#node = new ChannelNode(provider, this.#options, this.#events)
    this.#origins = new Origins(this.#options.origins)
    this.#cookie = new TokenCookie(this.#options.name)
  }

  /**
   * Opens the provider. Need not be called, but reports at start what else the first use would.
   * @throws COMET_PROVIDER_IS_UNAVAILABLE, and may be called again then
   */
  open(): Promise<void> {
    return this.#node.open()
  }

  /**
   * Makes a client. Messages are kept for it from now on, and it lives for its idle time even if it never subscribes.
   * The result has the private token, which is given out this once.
   * @throws COMET_PARAMETERS_ARE_INVALID, COMET_CLIENT_ALREADY_EXISTS, COMET_TOO_MANY_CLIENTS, or as {@link open}
   */
  async initializeClient(parameters: InitializeParameters): Promise<InitializedCometClient> {
    const { client, privateToken, from } = checkParameters(parameters, this.#options)
    // Nothing is awaited without need: calls are appended in the order in which they were made.
    const start = from && this.#isAhead(from) ? await this.#reached(from) : from
    const operation: InitialiseOperation = {
      kind: 'initialise',
      client,
      privateTokenHash: hashToken(privateToken),
      ...(start && { from: start }),
      leaseSeconds: leaseSeconds(client.connectionIdleSeconds),
      maxClients: this.#options.maxClients,
    }
    const stored = await this.#node.append(operation, ({ client }) => {
      this.#events.emit('clientInitialized', client!)
      return client!
    })
    return { ...stored, privateToken }
  }

  /**
   * The client that bears a private token: for the app's own routes, to know who sends.
   * @throws COMET_CLIENT_DOES_NOT_EXIST
   */
  async getCometClient(privateToken: string): Promise<CometClient> {
    checkToken('privateToken', privateToken)
    await this.#node.open()
    const { provider, timeoutSeconds } = this.#node
    const record = await withDeadline(timeoutSeconds, 'getClient', () =>
      provider.getClient(hashToken(privateToken)),
    )
    if (record === undefined || record === 'stopped') throw noSuchClient()
    return record.client
  }

  /**
   * All clients of the channel, on whatever node; may lag a little behind.
   * @throws COMET_PROVIDER_IS_UNAVAILABLE
   */
  async *getClients(): AsyncGenerator<CometClient> {
    await this.#node.open()
    const { provider, timeoutSeconds } = this.#node
    yield* eachWithDeadline(timeoutSeconds, 'getClients', () => provider.getClients())
  }

  /**
   * Sends a message to everybody, or to whom the options say. Resolves with its id once the provider holds it.
   * `contents` is any JSON value; `undefined` is sent as null.
   *
   * With the option `transaction` it is sent within a transaction of the app: what can be refused is thrown at once,
   * so that the transaction rolls back; the promise settles when the transaction has ended. It does not wait for what
   * was asked before and not awaited, and the channel has to be open.
   *
   * @throws COMET_CLIENT_DOES_NOT_EXIST if `to` is one unknown client; COMET_PARAMETERS_ARE_INVALID,
   *   COMET_MESSAGE_IS_TOO_LARGE, COMET_QUEUE_IS_FULL, COMET_PROVIDER_IS_UNAVAILABLE, COMET_CHANNEL_IS_CLOSED;
   *   with `transaction` COMET_ROLLED_BACK, COMET_CHANNEL_IS_NOT_OPEN; TypeError for options that are none
   */
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

  /** Ends a client for good: its page is told and stays away, its token is dead. False if there was no such client. */
  async stopClient(publicToken: string): Promise<boolean> {
    checkToken('publicToken', publicToken)
    const topics = [clientTopic(publicToken)]
    return this.#node.append({ kind: 'stop', topics }, ({ stopped = [] }) => {
      for (const client of stopped) this.#events.emitRemoval(client, 'stopped')
      return stopped.length > 0
    })
  }

  /**
   * Removes a client as if it had been idle for too long. Its page may initialise anew.
   * @throws COMET_CLIENT_DOES_NOT_EXIST
   */
  async killIdleCometClient(privateToken: string): Promise<void> {
    const client = await this.getCometClient(privateToken)
    const { publicToken, generation } = client
    await this.#node.append({ kind: 'remove', publicToken, generation }, () =>
      this.#events.emitRemoval(client, 'idle'),
    )
  }

  /** Listens to an event of {@link ChannelEvents}. The returned function ends that. */
  on<E extends keyof ChannelEvents>(
    event: E,
    listener: (...detail: ChannelEvents[E]) => unknown,
  ): () => void {
    return this.#events.on(event, listener)
  }

  /**
   * All addresses of the channel as one middleware: `path` itself to subscribe at, and `register`, `goodbye`,
   * `client.js` and `client.global.js` below it, as far as options switch them on.
   * @param path as `ctx.path` shows it where the middleware is used. Default `'/comet'`.
   */
  mount(path = '/comet'): Middleware {
    const { register, clientScript } = this.#options
    const goodbye = new GoodbyeEndpoint(this.#node, this.#cookie)
    const beside: Record<string, Middleware> = { goodbye: this.#middleware(goodbye) }
    if (register) {
      const initialize = this.initializeClient.bind(this)
      beside.register = this.#middleware(
        new RegisterEndpoint(register, this.#options, this.#cookie, initialize),
      )
    }
    if (clientScript) {
      beside['client.js'] = this.#middleware(new ClientScriptEndpoint('client.js'))
      beside['client.global.js'] = this.#middleware(new ClientScriptEndpoint('client.global.js'))
    }
    return mountAt(path, { subscribe: this.subscribe(), beside })
  }

  /** The subscribe address alone, for `router.all('/comet', channel.subscribe())`. */
  subscribe(): Middleware {
    const endpoint = new SubscribeEndpoint(this.#node, this.#options, this.#cookie, this.#origins)
    return this.#middleware(endpoint)
  }

  /**
   * Gives a page its private token as a cookie, for a native EventSource. Over plain HTTP it warns, once.
   */
  setTokenCookie(ctx: Context, privateToken: string): void {
    checkToken('privateToken', privateToken)
    this.#cookie.give(ctx, privateToken)
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
    return this.#node.close(checkClose(options))
  }

  #middleware(endpoint: Endpoint): Middleware {
    return guarded(endpoint, this.#origins, this.#events)
  }

  /** Whether this node has yet to find out if the log has come so far. */
  #isAhead({ epoch, messageId }: Cursor): boolean {
    const { isOpen, log } = this.#node
    return !isOpen || (epoch === log.epoch && messageId > log.head)
  }

  /** A position that even the store has not reached is of another log, whatever it says. */
  async #reached(from: Cursor): Promise<Cursor> {
    await this.#node.open()
    if (this.#isAhead(from)) await this.#node.catchUp()
    return this.#isAhead(from) ? FOREIGN_CURSOR : from
  }
}

function noSuchClient(): CometException {
  return new CometException('COMET_CLIENT_DOES_NOT_EXIST', ErrorText.clientDoesNotExist)
}
