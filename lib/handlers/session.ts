import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import type { CompleteOptions } from '../options.ts'
import { HostCookie } from './host-cookie.ts'

/** Base64url of 16 bytes. Whoever knows one can join its session: nobody is to choose one. */
const RANDOM_SESSION = /^[A-Za-z0-9_-]{22}$/

/** Says which session of the app a page belongs to that registers itself. */
export type SessionOf = (ctx: Context) => Promise<string | undefined>

/** As the option `session` says. */
export function sessionOf({ name, session }: Pick<CompleteOptions, 'name' | 'session'>): SessionOf {
  if (session === 'cookie') {
    // No channel's name has a dot: the token's cookie of another one is never called so.
    const cookie = new HostCookie(`comet.session-${name}`)
    return async (ctx) => cookieSession(ctx, cookie)
  }
  return async (ctx) => {
    const sessionId: unknown = (await session?.(ctx)) ?? undefined
    if (sessionId === undefined || typeof sessionId === 'string') return sessionId
    throw new TypeError(`The option session must give a text, or null for none, not ${typeof sessionId}.`)
  }
}

/** That of the browser, which all its pages have in common. */
function cookieSession(ctx: Context, cookie: HostCookie): string {
  const known = cookie.read(ctx)
  if (known !== undefined && RANDOM_SESSION.test(known)) return known
  const sessionId = randomBytes(16).toString('base64url')
  cookie.give(ctx, sessionId)
  return sessionId
}
