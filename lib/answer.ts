import { randomInt } from 'node:crypto'
import { controlToJson } from './comet-message.ts'
import { ControlName } from './wire.ts'

/** One complete HTTP answer of the channel. */
export interface Answer {
  readonly status: number
  /** Without `Content-Length`, the body is measured when it is sent. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An error as a page is told it: of the channel, or a refusal by the app. */
export interface ToldError {
  readonly code: string
  readonly status: number
  /** What the page may read. */
  readonly publicText: string
  /** JSON. Undefined: there is no more to say. */
  readonly details: unknown
  /** Over how many seconds those who are sent away should come back, if that is known. */
  readonly retryOverSeconds: number | undefined
}

/** On every answer: nothing of a channel may be cached, or taken for anything but what its type says. */
export const COMMON_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const

export const JSON_HEADERS = {
  ...COMMON_HEADERS,
  'Content-Type': 'application/json; charset=utf-8',
} as const

/** Those who are sent away come back spread over this many seconds, or more if it takes more. */
const RETRY_OVER_SECONDS = 5

/** Tells the browser an error: a truthful status, and the array that the AspNetComet wire uses. */
export function errorAnswer(error: ToldError): Answer {
  return {
    status: error.status,
    headers: { ...JSON_HEADERS, ...errorHeaders(error) },
    body: errorBody(error),
  }
}

function errorBody({ code, publicText, details }: ToldError): string {
  return `[${controlToJson({ mid: 0, n: ControlName.error, c: publicText, code, details })}]`
}

/** What an error adds to the headers of its answer. */
export function errorHeaders({ code, status, retryOverSeconds = 0 }: ToldError): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Bearer' }
  // What is left of a refused body is not worth reading: let the connection go.
  if (status === 413) return { Connection: 'close' }
  if (status === 429) return { 'Retry-After': '1' }
  if (status !== 503) return {}
  const retry = { 'Retry-After': retryAfter(Math.max(RETRY_OVER_SECONDS, retryOverSeconds)) }
  return code === 'COMET_CHANNEL_IS_CLOSED' ? { ...retry, Connection: 'close' } : retry
}

/** A whole number of seconds from 1 to `overSeconds`, so that not all come back at once. */
export function retryAfter(overSeconds: number): string {
  return String(randomInt(1, Math.max(1, Math.ceil(overSeconds)) + 1))
}
