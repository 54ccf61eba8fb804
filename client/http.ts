import { ControlName, type WireMessage } from '../lib/wire.ts'
import { abortWith, unlessAborted } from './abortable.ts'
import { CometError } from './comet-error.ts'
import type { CometChannelOptions } from './options.ts'

/** How much longer than the server may hold a request it is waited for. */
const GRACE_SECONDS = 10

/** A 2xx answer with a JSON body. */
export interface HttpAnswer {
  readonly headers: Headers
  readonly body: unknown
  readonly retryAfterSeconds: number | undefined
}

/** One request to a channel. */
export interface HttpRequest extends Pick<RequestInit, 'method' | 'body' | 'keepalive'> {
  readonly headers?: Readonly<Record<string, string>>
}

/** How requests reach one channel. */
export class Http {
  readonly #url: string
  readonly #options: CometChannelOptions
  /** How long the server may hold a request: a poll asks for no longer. */
  holdSeconds: number

  constructor(url: string, options: CometChannelOptions) {
    this.#url = url
    this.#options = options
    this.holdSeconds = options.connectionTimeoutSeconds ?? 25
  }

  /** How long an answer is waited for. */
  get limitMs(): number {
    return (this.holdSeconds + GRACE_SECONDS) * 1000
  }

  /** @param endpoint what follows the channel's path: `/register`, for one */
  urlOf(endpoint: string): string {
    return this.#url.replace(/\/?(\?|#|$)/, `${endpoint}$1`)
  }

  /**
   * Sends one request. Rejects with a {@link CometError} or what fetch says, with `COMET_NO_ANSWER` when it takes too
   * long, or as soon as the signal aborts.
   *
   * @param token travels in a header
   * @param url the channel's own, unless another is given
   */
  async request(
    signal: AbortSignal,
    request: HttpRequest,
    token?: string,
    url = this.#url,
  ): Promise<HttpAnswer> {
    const own = abortWith(signal)
    const timer = setTimeout(() => own.abort(new CometError('COMET_NO_ANSWER', true)), this.limitMs)
    try {
      const answer = this.send(own.signal, request, token, url).then(readAnswer)
      return await unlessAborted(answer, own.signal)
    } finally {
      clearTimeout(timer)
      own.abort()
    }
  }

  /** Sends one request. Resolves with the head of the answer, whatever it says; rejects with what fetch says. */
  async send(
    signal: AbortSignal,
    request: HttpRequest,
    token: string | undefined,
    url = this.#url,
  ): Promise<Response> {
    const { fetch = globalThis.fetch, credentials = 'same-origin', headers: ofApp } = this.#options
    const headers = new Headers(await ofApp?.())
    for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value)
    if (token && headers.has('Authorization')) headers.set('Comet-Token', token)
    else if (token) headers.set('Authorization', `Bearer ${token}`)
    return fetch(url, { ...request, headers, credentials, signal, cache: 'no-store' })
  }
}

/** Reads an answer to its end. Rejects with a {@link CometError} unless it is a 2xx one with a JSON body. */
export async function readAnswer(response: Response): Promise<HttpAnswer> {
  const { ok, status, headers } = response
  const type = headers.get('Content-Type') ?? ''
  // Undefined: it was cut, or is no JSON.
  const body: unknown = await response.json().catch(() => undefined)
  const retryAfterSeconds = Math.max(0, Number(headers.get('Retry-After'))) || undefined
  if (ok && body && /json/i.test(type)) return { headers, body, retryAfterSeconds }
  const told = (body as Partial<WireMessage>[] | null | undefined)?.[0]
  const isOurs = told?.n === ControlName.error
  const code = (isOurs && told.code) || 'COMET_ANSWER_IS_INVALID'
  const message = isOurs ? `${told.c}` : `Got ${status} ${type}`
  const willRetry = !isOurs || status === 429 || status >= 500
  throw new CometError(code, willRetry, { message, status, retryAfterSeconds, details: told?.details })
}

/** Whether the code says that this token is dead; another may live. */
export function isDeadToken(code: string): boolean {
  // COMET_IDENTITY_IS_LOST, COMET_IDENTITY_HAS_CHANGED. No code of an app's begins like that.
  return /^COMET_(TOKEN_IS_UNKNOWN$|IDENTITY_)/.test(code)
}

/** Whether the code says that the client of this token is no more. */
export function endsClient(code: string): boolean {
  return isDeadToken(code) || code === 'COMET_CLIENT_IS_STOPPED'
}
