import type { RedisClient, RedisClientSource } from './connection.ts'

/** What a {@link RedisCometStateProvider} can be told. `undefined` stands for the default. */
export interface RedisCometStateProviderOptions {
  /** What the keys begin with: `{<prefix>:<name of the channel>}:`. 1 to 64 of `A-Z a-z 0-9 _ - . :`. Default `koa-comet`. */
  readonly prefix?: string | undefined
  /**
   * How long a call may take, with all that is tried again when the connection is lost meanwhile. Then it is rejected,
   * and nothing of it is done any more. Below `providerTimeoutSeconds` of the channel. Default 5.
   */
  readonly timeoutSeconds?: number | undefined
  /** Milliseconds since 1970; a test can give its own clock. Default: that of the server. */
  readonly now?: (() => number) | undefined
}

export interface CompleteOptions {
  readonly prefix: string
  readonly timeoutSeconds: number
  /** Undefined: the server's clock. */
  readonly now: (() => number) | undefined
}

const DEFAULTS = { prefix: 'koa-comet', timeoutSeconds: 5, now: undefined } as const satisfies CompleteOptions

const PREFIX = /^[A-Za-z0-9_.:-]{1,64}$/

/** Throws a TypeError for an option that is unknown or has a value that cannot be. */
export function completeOptions(options: RedisCometStateProviderOptions): CompleteOptions {
  check(typeof options === 'object' && options !== null, 'The options', 'an object', options)
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(DEFAULTS, key)) {
      throw new TypeError(`Unknown option '${key}'. The options are: ${Object.keys(DEFAULTS).join(', ')}.`)
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const complete: CompleteOptions = { ...DEFAULTS, ...given }
  const { prefix, timeoutSeconds, now } = complete
  check(typeof prefix === 'string' && PREFIX.test(prefix), 'prefix', '1 to 64 of A-Z a-z 0-9 _ - . :', prefix)
  const isTime = typeof timeoutSeconds === 'number' && timeoutSeconds >= 0.1 && timeoutSeconds <= 600
  check(isTime, 'timeoutSeconds', 'a number from 0.1 to 600', timeoutSeconds)
  check(now === undefined || typeof now === 'function', 'now', 'a function', now)
  return complete
}

/** Throws a TypeError for what is no client of node-redis for one server, and no function that may give one. */
export function checkSource(source: unknown): asserts source is RedisClientSource {
  if (typeof source === 'function') return
  const { duplicate, options, isReady } = (source ?? {}) as Partial<Record<keyof RedisClient, unknown>>
  const isClient =
    typeof duplicate === 'function' && typeof options === 'object' && typeof isReady === 'boolean'
  const expected = "what createClient() of the package 'redis' gives, or a function that gives that"
  check(isClient, 'The client', expected, source)
}

function check(holds: boolean, name: string, expected: string, got: unknown): void {
  if (holds) return
  const shown =
    typeof got === 'object' && got !== null ? 'another object' : (JSON.stringify(got) ?? typeof got)
  throw new TypeError(`${name} must be ${expected}, not ${shown}.`)
}
