import type { Context } from 'koa'

/**
 * A native EventSource cannot send headers, and a token must not be in a URL: it comes in a cookie that scripts cannot
 * read and that no other site's page has sent along. `__Host-` binds it to this very host, over TLS.
 */
export class TokenCookie {
  readonly #name: string
  #hasWarned = false

  /** @param channelName tells the cookies of several channels apart */
  constructor(channelName: string) {
    this.#name = `comet-${channelName}`
  }

  /** The private token that a request's cookie bears, `undefined` if none. */
  read(ctx: Context): string | undefined {
    const value = ctx.cookies.get(this.#nameFor(ctx), { signed: false })
    return value === undefined ? undefined : decoded(value)
  }

  /** Gives it for as long as the browser is open. */
  give(ctx: Context, privateToken: string): void {
    if (!ctx.secure) this.#warn()
    ctx.cookies.set(this.#nameFor(ctx), encodeURIComponent(privateToken), {
      httpOnly: true,
      sameSite: 'strict',
      secure: ctx.secure,
      path: '/',
      signed: false,
      overwrite: true,
    })
  }

  #nameFor(ctx: Context): string {
    // Without TLS a browser takes no cookie with the prefix.
    return ctx.secure ? `__Host-${this.#name}` : this.#name
  }

  #warn(): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      'A private token was given out as a cookie over plain HTTP: whoever listens on the network can read it. Use ' +
        'TLS; behind a proxy that ends it, set app.proxy = true.',
      { code: 'KOA_COMET_PLAIN_COOKIE' },
    )
  }
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
