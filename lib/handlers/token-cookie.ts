import type { Context } from 'koa'
import { HostCookie } from './host-cookie.ts'

/** A native EventSource cannot send headers, and a token must not be in a URL: it comes in a cookie. */
export class TokenCookie {
  readonly #cookie: HostCookie
  #hasWarned = false

  /** @param channelName tells the cookies of several channels apart */
  constructor(channelName: string) {
    this.#cookie = new HostCookie(`comet-${channelName}`)
  }

  /** The private token that a request's cookie bears, `undefined` if none. */
  read(ctx: Context): string | undefined {
    return this.#cookie.read(ctx)
  }

  give(ctx: Context, privateToken: string): void {
    if (!ctx.secure) this.#warn()
    this.#cookie.give(ctx, privateToken)
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
