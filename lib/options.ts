import type { Context } from 'koa'
import type { Retention } from './comet-state-provider.ts'
import type { InitializeParameters } from './initialize-parameters.ts'
import { isSeconds, MAX_HOLD_SECONDS, MAX_SECONDS } from './seconds.ts'

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** How messages reach a page: a stream that stays open, or a request that is answered and asked again. */
export type TransportName = 'streaming' | 'long-polling'

/** What a channel can be told. `undefined` stands for the default, `null` switches a thing off. */
export interface CometOptions {
  /** The channel's name, which keeps channels apart that share a store. 1 to 64 of `A-Z a-z 0-9 _ -`. Default `'comet'`. */
  readonly name?: string | undefined
  /**
   * Lets pages register themselves: called at `POST …/register`; what it returns is completed and given to
   * `initializeClient`, `null` refuses the page with 403, as `ctx.throw(401)` and `ctx.throw(403)` do. Default `null`: the address does not exist, and the app
   * calls `initializeClient` itself.
   */
  readonly register?: ((ctx: Context) => Awaitable<Partial<InitializeParameters> | null>) | null | undefined
  /**
   * Says who sent a request: the app's user id, or `null` for nobody. Asked at every register and subscribe. A client
   * is bound to the answer it was initialised with; another or none is refused, as `ctx.throw(401)` and `ctx.throw(403)`
   * are. Default `null`: not asked.
   */
  readonly identify?: ((ctx: Context) => Awaitable<string | null | undefined>) | null | undefined
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
  /**
   * How many requests this node holds at once, and how many more the AspNetComet form answers a second later. Default
   * 20,000.
   */
  readonly maxHeldRequests?: number | undefined
  /** How large a message's contents may be, as JSON. Default 262,144. */
  readonly maxMessageBytes?: number | undefined
  /** About where an answer is cut; what is left comes with the next. Never below one message. Default 262,144. */
  readonly maxAnswerBytes?: number | undefined
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
  origins: [],
  clientScript: true,
  transports: ['streaming', 'long-polling'],
  connectionTimeoutSeconds: 25,
  keepAliveSeconds: 15,
  connectionIdleSeconds: 90,
  retention: { seconds: 600, messages: 100_000, bytes: 64 * 1024 * 1024 },
  maxClients: 50_000,
  maxHeldRequests: 20_000,
  maxMessageBytes: 256 * 1024,
  maxAnswerBytes: 256 * 1024,
  maxReceivers: 1_000,
  maxQueuedOperations: 10_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  providerTimeoutSeconds: 10,
} as const satisfies Required<CometOptions>

/** Options as the channel uses them: complete and checked. */
export type CompleteOptions = {
  readonly [K in keyof CometOptions]-?: Exclude<CometOptions[K], undefined>
} & { readonly retention: Retention }

const NAME = /^[A-Za-z0-9_-]{1,64}$/

/** Fills in the defaults. Throws a TypeError or RangeError that says what was expected and what was given. */
export function completeOptions(options: CometOptions): CompleteOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The options must be an object, not ${options === null ? 'null' : typeof options}.`)
  }
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(DEFAULTS, key)) {
      throw new TypeError(`Unknown option '${key}'. The options are: ${Object.keys(DEFAULTS).join(', ')}.`)
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const retention = completeRetention(options.retention)
  const complete: CompleteOptions = { ...DEFAULTS, ...given, retention }
  checkName(complete.name)
  checkFunction('register', complete.register)
  checkFunction('identify', complete.identify)
  checkOrigins(complete.origins)
  checkBoolean('clientScript', complete.clientScript)
  checkTransports(complete.transports)
  checkSeconds('connectionTimeoutSeconds', complete.connectionTimeoutSeconds, MAX_HOLD_SECONDS)
  checkSeconds('keepAliveSeconds', complete.keepAliveSeconds, MAX_HOLD_SECONDS)
  checkSeconds('connectionIdleSeconds', complete.connectionIdleSeconds)
  if (complete.connectionIdleSeconds < 1) {
    throw new RangeError(`connectionIdleSeconds must be at least 1, not ${complete.connectionIdleSeconds}.`)
  }
  checkSeconds('retention.seconds', retention.seconds)
  checkSeconds('providerTimeoutSeconds', complete.providerTimeoutSeconds)
  checkCount('retention.messages', retention.messages)
  checkCount('retention.bytes', retention.bytes)
  for (const key of Object.keys(DEFAULTS).filter((key) => key.startsWith('max'))) {
    checkCount(key, complete[key as keyof CompleteOptions])
  }
  return complete
}

/** What `close()` can be told. */
export interface CloseOptions {
  readonly overSeconds?: number
}

/** How long closing may take. Throws a TypeError or RangeError for what is not as described. */
export function checkClose(options: CloseOptions): number {
  const { overSeconds = 5, ...others } = Object(options) as CloseOptions
  if (typeof options !== 'object' || Object.keys(others).length > 0) {
    throw new TypeError('close() takes nothing, or an object with overSeconds alone.')
  }
  if (overSeconds !== 0 && !isSeconds(overSeconds)) {
    throw new RangeError(`overSeconds must be a number of seconds, or 0, not ${String(overSeconds)}.`)
  }
  return overSeconds
}

function completeRetention(given: Partial<Retention> = {}): Retention {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (!isObject) throw new TypeError(`retention must be an object, not ${JSON.stringify(given)}.`)
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULTS.retention, key)) {
      throw new TypeError(
        `Unknown option 'retention.${key}'. It has ${Object.keys(DEFAULTS.retention).join(', ')}.`,
      )
    }
  }
  const told = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { ...DEFAULTS.retention, ...told }
}

function checkSeconds(name: string, value: unknown, most = MAX_SECONDS): void {
  if (isSeconds(value) && value <= most) return
  throw new RangeError(
    `${name} must be a number of seconds above 0 and at most ${most}, not ${shown(value)}.`,
  )
}

function checkCount(name: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) > 0) return
  throw new RangeError(`${name} must be a whole number above 0, not ${shown(value)}.`)
}

/** A text in quotes, so that '25' is not taken for 25. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function checkName(name: unknown): void {
  if (typeof name === 'string' && NAME.test(name)) return
  throw new TypeError(`name must be 1 to 64 of the characters A-Z a-z 0-9 _ -, not ${JSON.stringify(name)}.`)
}

function checkBoolean(name: string, value: unknown): void {
  if (typeof value === 'boolean') return
  throw new TypeError(`${name} must be true or false, not ${JSON.stringify(value)}.`)
}

function checkFunction(name: string, value: unknown): void {
  if (value === null || typeof value === 'function') return
  throw new TypeError(`${name} must be a function, or null to switch it off, not ${typeof value}.`)
}

function checkTransports(transports: unknown): void {
  const isKnown = (each: unknown): boolean => DEFAULTS.transports.includes(each as TransportName)
  if (Array.isArray(transports) && transports.length > 0 && transports.every(isKnown)) return
  const known = DEFAULTS.transports.join("', '")
  throw new TypeError(
    `transports must be a list of '${known}', or of one of them, not ${JSON.stringify(transports)}.`,
  )
}

function checkOrigins(origins: unknown): void {
  const isOrigin = (origin: unknown): boolean =>
    typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin
  if (Array.isArray(origins) && origins.every(isOrigin)) return
  throw new TypeError(
    `origins must be a list of origins such as 'https://app.example', without path or wildcard, not ${JSON.stringify(origins)}.`,
  )
}
