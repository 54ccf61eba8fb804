import type { Retention } from './comet-state-provider.ts'
import { type CometOptions, type CompleteOptions, DEFAULTS, type TransportName } from './options.ts'
import { isSeconds, MAX_HOLD_SECONDS, MAX_SECONDS } from './seconds.ts'

const FUNCTIONS = ['register', 'identify', 'authorize', 'joinable', 'clientList'] as const

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
  for (const key of FUNCTIONS) checkFunction(key, complete[key])
  if (complete.session !== 'cookie') checkFunction('session', complete.session)
  checkOrigins(complete.origins)
  checkBoolean('clientScript', complete.clientScript)
  checkBoolean('presence', complete.presence)
  checkTransports(complete.transports)
  checkSeconds('connectionTimeoutSeconds', complete.connectionTimeoutSeconds, MAX_HOLD_SECONDS)
  checkSeconds('keepAliveSeconds', complete.keepAliveSeconds, MAX_HOLD_SECONDS)
  checkSeconds('connectionIdleSeconds', complete.connectionIdleSeconds)
  if (complete.connectionIdleSeconds < 1) {
    throw new RangeError(`connectionIdleSeconds must be at least 1, not ${complete.connectionIdleSeconds}.`)
  }
  checkSeconds('retention.seconds', retention.seconds)
  checkSeconds('providerTimeoutSeconds', complete.providerTimeoutSeconds)
  checkSeconds('handlerTimeoutSeconds', complete.handlerTimeoutSeconds)
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
    throw new RangeError(`overSeconds must be a number of seconds, or 0, not ${shown(overSeconds)}.`)
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
