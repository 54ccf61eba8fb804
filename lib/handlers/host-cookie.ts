import type { Context } from 'koa'

/**
 * A cookie of one channel, that scripts cannot read and that other sites' pages do not send along. `__Host-` binds it to
 * this very host, over TLS. It lasts as long as the browser is open.
 */
export class HostCookie {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  /** What the request brings, `undefined` if nothing. */
  read(ctx: Context): string | undefined {
    const value = ctx.cookies.get(this.#nameFor(ctx), { signed: false })
    return value === undefined ? undefined : decoded(value)
  }

  give(ctx: Context, value: string): void {
    ctx.cookies.set(this.#nameFor(ctx), encodeURIComponent(value), {
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
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
