import type { Context } from 'koa'

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
  admit(ctx: Context): boolean {
    const origin = ctx.get('Origin')
    if (this.#listed.size > 0) ctx.vary('Origin')
    if (!this.#listed.has(origin)) return isSameOrigin(ctx, origin)
    ctx.set('Access-Control-Allow-Origin', origin)
    ctx.set('Access-Control-Allow-Credentials', 'true')
    if (ctx.method === 'OPTIONS') {
      ctx.set(PREFLIGHT_HEADERS)
    } else {
      ctx.set('Access-Control-Expose-Headers', 'Comet-Cursor, Comet-Outcome, Retry-After')
      // A page counts its connections unless the browser lets it see that this one is HTTP/2.
      ctx.set('Timing-Allow-Origin', origin)
    }
    return true
  }
}

/**
 * Browsers say so themselves in Sec-Fetch-Site; where they do not (plain HTTP), Origin's host is compared with Host.
 * The scheme is ignored, since TLS often ends at a proxy. Who sends neither is no page of another site.
 */
function isSameOrigin(ctx: Context, origin: string): boolean {
  const site = ctx.get('Sec-Fetch-Site')
  if (site !== '') return site === 'same-origin' || site === 'none'
  if (origin === '') return true
  // A file and data: URL have an empty host, and so may a hostile request.
  const host = URL.canParse(origin) ? new URL(origin).host : ''
  return host !== '' && host === hostOf(ctx)
}

/** HTTP/2 has `:authority` in place of Host. */
function hostOf(ctx: Context): string {
  const authority = ctx.req.headers[':authority']
  return (typeof authority === 'string' ? authority : ctx.get('Host')).toLowerCase()
}
