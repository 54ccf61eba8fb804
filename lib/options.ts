import type { Context } from 'koa'
import type { CometAction } from './comet-action.ts'
import type { CometClient } from './comet-client.ts'
import type { Retention } from './comet-state-provider.ts'
import type { InitializeParameters } from './initialize-parameters.ts'

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** How messages reach a page: a stream that stays open, or a request that is answered and asked again. */
export type TransportName = 'streaming' | 'long-polling'

/**
 * What a channel can be told. `undefined` stands for the default, `null` switches a thing off.
 *
 * `C` is the app's own type of Koa's context, as its middleware before the channel has made it.
 */
export interface CometOptions<C extends Context = Context> {
  /** The channel's name, which keeps channels apart that share a store. 1 to 64 of `A-Z a-z 0-9 _ -`. Default `'comet'`. */
  readonly name?: string | undefined
  /**
   * Lets pages register themselves: called at `POST …/register`; what it returns is completed and given to
   * `initializeClient`, `null` refuses the page with 403, as `ctx.throw(401)` and `ctx.throw(403)` do. Default `null`: the address does not exist, and the app
   * calls `initializeClient` itself.
   */
  readonly register?: ((ctx: C) => Awaitable<Partial<InitializeParameters> | null>) | null | undefined
  /**
   * Says who sent a request: the app's user id, or `null` for nobody. Asked at every register, and at every request of a client. A client
   * is bound to the answer it was initialised with; another or none is refused, as `ctx.throw(401)` and `ctx.throw(403)`
   * are. Default `null`: not asked.
   */
  readonly identify?: ((ctx: C) => Awaitable<string | null | undefined>) | null | undefined
  /**
   * Says which session of the app a page belongs to that registers itself, or `null` for none: messages can then be sent
   * to the session. Default `'cookie'`: a random one for each browser, in a cookie of the channel's own.
   */
  readonly session?: ((ctx: C) => Awaitable<string | null | undefined>) | 'cookie' | null | undefined
  /**
   * Asked at every request of a client: whether it may do this now. False refuses it with 403
   * (`COMET_ACTION_IS_REFUSED`), as `ctx.throw(403)` does; `ctx.throw(401)` says that it takes a login first
   * (`COMET_LOGIN_IS_NEEDED`). A stream is asked about anew at least every 10 minutes. Default `null`: all are allowed.
   */
  readonly authorize?: ((ctx: C, action: CometAction) => Awaitable<boolean>) | null | undefined
  /**
   * Whether the page of a client may itself join a group, or leave it. Default `null`: pages may not, and are told
   * `COMET_NOT_OFFERED`.
   */
  readonly joinable?:
    | ((client: CometClient, group: string, action: 'join' | 'leave') => Awaitable<boolean>)
    | null
    | undefined
  /** Whether members of a group are told who joins, leaves and changes: the public part of it. Default false. */
  readonly presence?: boolean | undefined
  /**
   * Whether the page of a client may ask who is in a group, or, with `undefined` for a group, who is there at all: the
   * public part of it. Default `null`: pages may not.
   */
  readonly clientList?:
    | ((client: CometClient, group: string | undefined) => Awaitable<boolean>)
    | null
    | undefined
  /** Other origins whose pages may use the channel, as `Origin` spells them: `['https://app.example']`. Default none. */
  readonly origins?: readonly string[] | undefined
  /** Whether the mount serves `client.js` and `client.global.js`. Default true. */
  readonly clientScript?: boolean | undefined
  /**
   * How long a subscribe request is held without a message, unless its client says otherwise: at most 86,400. Default
   * 25, up to 10 % less at random.
   */
  readonly connectionTimeoutSeconds?: number | undefined
  /** The transports that pages may use. Default both: `['streaming', 'long-polling']`. */
  readonly transports?: readonly TransportName[] | undefined
  /** A stream hears something at least so often, if only where it is: at most 86,400. Default 15, up to 10 % less at random. */
  readonly keepAliveSeconds?: number | undefined
  /** How long a client may be without a connection before it is removed, unless it says otherwise. Default 90. */
  readonly connectionIdleSeconds?: number | undefined
  /** How much of the log is kept for those who come back: seconds (default 600), messages (100,000), bytes (64 MiB). */
  readonly retention?: Partial<Retention> | undefined
  /** How many clients may exist at once. Default 50,000. */
  readonly maxClients?: number | undefined
  /** How many clients of one `userId` may exist at once. Default 200. */
  readonly maxClientsPerUser?: number | undefined
  /** How many groups a client may be a member of. Default 100. */
  readonly maxGroupsPerClient?: number | undefined
  /**
   * How many requests this node holds at once, and how many more the AspNetComet form answers a second later. Default
   * 20,000.
   */
  readonly maxHeldRequests?: number | undefined
  /** How large a message's contents may be, as JSON. Default 262,144. */
  readonly maxMessageBytes?: number | undefined
  /** About where an answer is cut; what is left comes with the next. Never below one message. Default 262,144. */
  readonly maxAnswerBytes?: number | undefined
  /** How large what a page sends may be, as JSON. Default 65,536. */
  readonly maxUpstreamBytes?: number | undefined
  /**
   * How many requests to send, join, leave and list a client may make in a second; five times as many at once, after a
   * pause. Default 20.
   */
  readonly maxRequestsPerSecond?: number | undefined
  /** How long a handler of what pages send may take. Default 30. */
  readonly handlerTimeoutSeconds?: number | undefined
  /** How many receivers one send may name. Default 1,000. */
  readonly maxReceivers?: number | undefined
  /** How many operations may wait for the provider. Default 10,000. */
  readonly maxQueuedOperations?: number | undefined
  /** About how many bytes of names, contents and addresses may wait for the provider. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined
  /** How long the provider may take to answer. Default 10. */
  readonly providerTimeoutSeconds?: number | undefined
}

/** Every option with its default. */
export const DEFAULTS = {
  name: 'comet',
  register: null,
  identify: null,
  session: 'cookie',
  authorize: null,
  joinable: null,
  presence: false,
  clientList: null,
  origins: [],
  clientScript: true,
  transports: ['streaming', 'long-polling'],
  connectionTimeoutSeconds: 25,
  keepAliveSeconds: 15,
  connectionIdleSeconds: 90,
  retention: { seconds: 600, messages: 100_000, bytes: 64 * 1024 * 1024 },
  maxClients: 50_000,
  maxClientsPerUser: 200,
  maxGroupsPerClient: 100,
  maxHeldRequests: 20_000,
  maxMessageBytes: 256 * 1024,
  maxAnswerBytes: 256 * 1024,
  maxUpstreamBytes: 64 * 1024,
  maxRequestsPerSecond: 20,
  handlerTimeoutSeconds: 30,
  maxReceivers: 1_000,
  maxQueuedOperations: 10_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  providerTimeoutSeconds: 10,
} as const satisfies Required<CometOptions>

/** Options as the channel uses them: complete and checked. */
export type CompleteOptions = {
  readonly [K in keyof CometOptions]-?: Exclude<CometOptions[K], undefined>
} & { readonly retention: Retention }
