import { afterEach, describe, expect, test } from '@jest/globals'
import type Koa from 'koa'
import type { Context, Middleware } from 'koa'
import createSession from 'koa-session'
import { eventually } from '../support/eventually.ts'
import { RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

type Saved = Record<string, unknown>

interface SessionSite extends Site {
  readonly sessions: Map<string, Saved>
  /** How often a session was saved. */
  saves(): number
  /** The cookie of a login. */
  login(): Promise<string>
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** koa-session with `rolling`, whose store takes its time and whose cookie is set anew by every request. */
async function openSessionSite(): Promise<SessionSite> {
  const sessions = new Map<string, Saved>()
  let saves = 0
  const store = {
    async get(key: string) {
      await nextTurn()
      return sessions.get(key)
    },
    async set(key: string, saved: Saved) {
      await nextTurn()
      sessions.set(key, saved)
      saves += 1
    },
    async destroy(key: string) {
      await nextTurn()
      sessions.delete(key)
    },
  }
  let session: Middleware | undefined
  const userOf = (ctx: Context): unknown => (ctx as unknown as { session?: Saved }).session?.user
  const site = await openSite({
    options: { identify: (ctx) => userOf(ctx) as string | undefined },
    before: [
      (ctx, next) => {
        session ??= createSession({ store, rolling: true, signed: false }, ctx.app as Koa)
        return session(ctx, next)
      },
      (ctx, next) => {
        if (ctx.path !== '/login' && ctx.path !== '/logout') return next()
        Object.assign(ctx, { session: ctx.path === '/login' ? { user: 'ann' } : null, status: 204 })
        return undefined
      },
    ],
  })
  return {
    ...site,
    sessions,
    saves: () => saves,
    async login() {
      const { headers } = await fetch(`${site.served.origin}/login`)
      return headers.getSetCookie()[0]!.split(';')[0]!
    },
  }
}

describe('beside koa-session with rolling and an asynchronous store, a stream', () => {
  test('begins with the cookie when the session is saved, and saves it no more', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const saves = site.saves()
    const stream = await RawStream.open(site.url, privateToken, { headers: { Cookie } })
    expect(stream.headers.getSetCookie()[0]).toContain(`${Cookie};`)
    expect(site.saves()).toBe(saves + 1)
    await site.channel.sendMessage('M', 1)
    await stream.until(({ contents }) => contents.length === 1)
    await site.channel.close({ overSeconds: 0 })
    await stream.until(({ ending }) => ending === 'ended')
    expect([site.saves(), site.appErrors]).toEqual([saves + 1, []])
  })

  test('does not undo a logout, and the next one is refused', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const stream = await RawStream.open(site.url, privateToken, { headers: { Cookie } })
    await fetch(`${site.served.origin}/logout`, { headers: { Cookie } })
    await site.channel.sendMessage('M', 1)
    await stream.until(({ contents }) => contents.length === 1)
    await stream.close()
    await site.holds(0)
    await eventually(() => site.sessions.size === 0)
    expect((await RawStream.open(site.url, privateToken, { headers: { Cookie } })).status).toBe(401)
    expect(site.sessions.size).toBe(0)
  })
})
