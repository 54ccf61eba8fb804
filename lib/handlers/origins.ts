import { CometException } from '../comet-exception.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import { type HasRequest, requestHeader } from '../subscribe/request-header.ts'
import { setHeaders } from './set-headers.ts'

const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers':
    'Authorization, Comet-Token, Comet-Page, Comet-Probe, Content-Type, Last-Event-ID, Prefer',
  'Access-Control-Max-Age': '7200',
} as const

/** Whose pages may use the channel: those of its own origin, and of the origins that the app lists. */
export class Origins {
  readonly #listed: ReadonlySet<string>

  constructor(listed: readonly string[]) {
    this.#listed = new Set(listed)
  }

  /** Whether the request's page may go on. Tells the browser so if it is of a listed origin. */
  admit(ctx: SubscribeContext): boolean {
    const origin = requestHeader(ctx, 'origin')
    if (this.#listed.size > 0) ctx.vary('Origin')
    if (!this.#listed.has(origin)) return isSameOrigin(ctx, origin)
    setHeaders(ctx.res, {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Credentials': 'true',
      ...(ctx.method === 'OPTIONS' ? PREFLIGHT_HEADERS : exposedTo(origin)),
    })
    return true
  }

  /**
   * A cookie comes along unasked with the requests of pages of sibling hosts too: `SameSite` lets it. If the browser
   * says by nothing else whose page it is (over plain HTTP, of a GET without CORS), `Referer` has to.
   * @throws COMET_ORIGIN_IS_REFUSED
   */
  checkCookie(ctx: HasRequest): void {
    if (requestHeader(ctx, 'origin') !== '' || requestHeader(ctx, 'sec-fetch-site') !== '') return
    const referer = requestHeader(ctx, 'referer')
    const page = URL.canParse(referer) ? new URL(referer) : undefined
    const isKnown = page && (this.#listed.has(page.origin) || isOwnHost(ctx, page.host))
    if (!isKnown) throw refusedOrigin()
  }
}

function exposedTo(origin: string): Readonly<Record<string, string>> {
  return {
    'Access-Control-Expose-Headers': 'Comet-Cursor, Comet-Outcome, Retry-After',
    // A page counts its connections unless the browser lets it see that this one is HTTP/2.
    'Timing-Allow-Origin': origin,
  }
}

/** What a request of a page that may not use the channel is refused with. */
export function refusedOrigin(): CometException {
  const text = 'This channel serves pages of its own origin, and of those that its option origins lists.'
  return new CometException('COMET_ORIGIN_IS_REFUSED', text)
}

/**
 * Browsers say so themselves in Sec-Fetch-Site; where they do not (plain HTTP), Origin's host is compared with Host.
 * The scheme is ignored, since TLS often ends at a proxy. Who sends neither is no page of another site.
 */
function isSameOrigin(ctx: HasRequest, origin: string): boolean {
  const site = requestHeader(ctx, 'sec-fetch-site')
  if (site !== '') return site === 'same-origin' || site === 'none'
  if (origin === '') return true
  return URL.canParse(origin) && isOwnHost(ctx, new URL(origin).host)
}

/** A file and data: URL have an empty host, and so may a hostile request. */
function isOwnHost(ctx: HasRequest, host: string): boolean {
  return host !== '' && host === hostOf(ctx)
}

/** HTTP/2 has `:authority` in place of Host. */
function hostOf(ctx: HasRequest): string {
  const authority = ctx.req.headers[':authority']
  return (typeof authority === 'string' ? authority : requestHeader(ctx, 'host')).toLowerCase()
}
