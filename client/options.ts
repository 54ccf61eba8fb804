import type { TransportName } from './transport-choice.ts'

/** Where a page keeps its state: `sessionStorage`, or anything with these three methods. */
export type PageStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/**
 * A string, or a function that gets one. It is given the token that was kept over a reload, and may return it; it is
 * called again, and given none, when the server has forgotten the client.
 */
export type PrivateToken = string | ((kept?: string) => string | Promise<string>)

/** Options of a {@link CometChannel}. `undefined` is the default of each. */
export interface CometChannelOptions {
  /** Stands in for the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /**
   * Headers for each request, asked for anew each time. If `Authorization` is among them, the private token travels
   * as `Comet-Token`. If it throws, the attempt has failed and is repeated.
   */
  readonly headers?: (() => HeadersInit | Promise<HeadersInit>) | undefined
  /** As for `fetch`. Default `same-origin`. */
  readonly credentials?: RequestCredentials | undefined
  /** Its abort is an `unsubscribe()` for good: `subscribe()` does nothing afterwards. */
  readonly signal?: AbortSignal | undefined
  /** Where the page keeps what a reload resumes from. Default `sessionStorage`, if there is one; `null`: nowhere. */
  readonly storage?: PageStorage | null | undefined
  /** Told what the channel does, for debugging. Never told a token. */
  readonly log?: ((text: string, detail?: unknown) => void) | undefined
  /**
   * How long the server may hold a poll, in seconds, up to a day: each poll asks for no longer, rounded up to whole
   * seconds, and is given up 10 s later. Default 25. What the server tells a client that registers itself goes
   * before this.
   */
  readonly connectionTimeoutSeconds?: number | undefined
  /**
   * How messages may come, at least one, the preferred first. Default `['streaming', 'long-polling']`: by a stream, and
   * by polls while something between page and server holds streams back or cuts them.
   */
  readonly transports?: readonly TransportName[] | undefined
}

/** A day: what a timer can wait for, and the server reads from `Prefer`. */
const LONGEST_HOLD_SECONDS = 86_400

const OPTION_TYPES: Readonly<Record<keyof CometChannelOptions, string>> = {
  fetch: 'a function',
  headers: 'a function',
  credentials: 'a string',
  signal: 'an object',
  storage: 'an object',
  log: 'a function',
  connectionTimeoutSeconds: 'a number',
  transports: 'an array',
}

export const TRANSPORTS: readonly TransportName[] = ['streaming', 'long-polling']

/** Throws a TypeError for what is not as described. It shows no token. */
export function checkOptions(options: CometChannelOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTION_TYPES, name)) {
      throw refusal('option', `one of ${Object.keys(OPTION_TYPES)}`, name)
    }
    if (value !== undefined) checkType(name, OPTION_TYPES[name as keyof CometChannelOptions], value)
  }
  const { connectionTimeoutSeconds: seconds = 1, transports = TRANSPORTS } = options
  if (!(seconds > 0 && seconds <= LONGEST_HOLD_SECONDS))
    throw refusal('connectionTimeoutSeconds', `above 0, at most ${LONGEST_HOLD_SECONDS}`, seconds)
  if (!transports[0] || transports.some((name) => !TRANSPORTS.includes(name)))
    throw refusal('transports', `of ${TRANSPORTS}`, transports)
}

/** @param type with its article, as `a string` */
export function checkType(what: string, type: string, value: unknown): void {
  const given = Array.isArray(value) ? 'array' : typeof value
  if (!type.endsWith(` ${given}`)) throw refusal(what, type, given)
}

/** A group's name, in the form in which the server keeps it: texts that Unicode holds for the same are one name. */
export function checkedGroup(name: string): string {
  checkType('group', 'a string', name)
  return name.normalize()
}

/** The error that says what was expected of an argument, and what was got. */
export function refusal(what: string, expected: string, got: unknown): TypeError {
  return new TypeError(`CometChannel: ${what} must be ${expected}, got ${got}`)
}

/** Whether it can travel in a header: the rule of the server, but for the length. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}
