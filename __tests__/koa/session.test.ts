import { afterEach, describe, expect, test } from '@jest/globals'
import type Koa from 'koa'
import type { Context, Middleware } from 'koa'
import createSession from 'koa-session'
import { RawConnection } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

type Saved = Record<string, unknown>

/** A store that takes its time, as one behind a network does. */
class AsynchronousStore {
  readonly sessions = new Map<string, Saved>()
  /** Each save as it ends. */
  saves = 0
  /** While set, saves wait for it. */
  gate: Promise<void> | undefined
  /** While set, saves fail with it. */
  failure: Error | undefined

  async get(key: string): Promise<Saved | undefined> {
    await nextTurn()
    return this.sessions.get(key)
  }

  async set(key: string, session: Saved): Promise<void> {
    await nextTurn()
    await this.gate
    if (this.failure) throw this.failure
    this.sessions.set(key, session)
    this.saves += 1
  }

  async destroy(key: string): Promise<void> {
    await nextTurn()
    this.sessions.delete(key)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

interface SessionSite extends Site {
  readonly store: AsynchronousStore
  /** Logs in, and gives the cookie. */
  login(): Promise<string>
}

interface WithSession {
  session: Saved | null
}

/** koa-session with `rolling`, which saves and sets a cookie on every request, then login and logout, then the channel. */
async function openSessionSite(options: object = {}): Promise<SessionSite> {
  const store = new AsynchronousStore()
  let session: Middleware | undefined
  const site = await openSite({
    options: { identify: (ctx) => (ctx as Context & WithSession).session?.user as string | undefined },
    before: [
      (ctx, next) => {
        session ??= createSession({ store, rolling: true, signed: false, ...options }, ctx.app as Koa)
        return session(ctx, next)
      },
      (ctx, next) => {
        const withSession = ctx as unknown as WithSession
        if (ctx.path === '/login') withSession.session = { user: 'ann' }
        else if (ctx.path === '/logout') withSession.session = null
        else return next()
        ctx.status = 204
        return undefined
      },
    ],
  })
  return {
    ...site,
    store,
    async login() {
      const response = await fetch(`${site.served.origin}/login`)
      return response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]!)[0]!
    },
  }
}

describe('beside koa-session with rolling and an asynchronous store', () => {
  test('a held answer carries the cookie, and no byte of it leaves before the session is saved', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    let open = (): void => {}
    site.store.gate = new Promise((resolve) => {
      open = resolve
    })
    const connection = await RawConnection.open(site.port)
    connection.send(
      `GET /comet HTTP/1.1\r\nHost: x\r\nCookie: ${Cookie}\r\nComet-Token: ${privateToken}\r\n\r\n`,
    )
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    for (let turns = 0; turns < 100; turns += 1) await nextTurn()
    expect(connection.received).toBe('')
    const { saves } = site.store
    open()
    const answer = await connection.answer()
    expect(site.store.saves).toBe(saves + 1)
    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']).toContain(`${Cookie};`)
    expect(JSON.parse(answer.body)).toMatchObject([{ c: 1 }])
    await connection.close()
    expect(site.appErrors).toEqual([])
  })

  test('an answer given at once carries the cookie too', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    await site.channel.sendMessage('Count', 1)
    const { headers, messages } = await poll(site.url, privateToken, { headers: { Cookie } })
    expect(headers.getSetCookie()[0]).toContain(`${Cookie};`)
    expect(messages).toMatchObject([{ c: 1 }])
  })

  test('a session is saved when the poll comes, not again when it is answered', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const { saves } = site.store
    const polling = poll(site.url, privateToken, { headers: { Cookie } })
    await eventually(() => site.store.saves === saves + 1)
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    await polling
    expect(site.store.saves).toBe(saves + 1)
  })

  test('a logout while a poll is held is not undone by it, and the next poll is refused', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const { saves } = site.store
    const polling = poll(site.url, privateToken, { headers: { Cookie } })
    await eventually(() => site.store.saves === saves + 1)
    await site.holds(1)
    await fetch(`${site.served.origin}/logout`, { headers: { Cookie } })
    expect(site.store.sessions.size).toBe(0)
    await site.channel.sendMessage('Count', 1)
    expect((await polling).status).toBe(200)
    expect(site.store.sessions.size).toBe(0)
    const refused = await poll(site.url, privateToken, { headers: { Cookie } })
    expect([refused.status, refused.messages[0]?.code]).toEqual([401, 'COMET_IDENTITY_IS_LOST'])
    expect(site.appErrors).toEqual([])
  })

  test('a page whose store fails is answered by Koa, and nothing stays held', async () => {
    const site = await openSessionSite()
    const Cookie = await site.login()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    site.store.failure = new Error('the store of sessions is away')
    const response = await fetch(site.url, { headers: { Cookie, 'Comet-Token': privateToken } })
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
    await site.holds(0)
    expect(site.appErrors).toHaveLength(1)
    site.store.failure = undefined
    await site.channel.sendMessage('Count', 1)
    const { messages } = await poll(site.url, privateToken, { headers: { Cookie } })
    expect(messages).toMatchObject([{ c: 1 }])
  })
})

test('beside koa-session that keeps all in the cookie, a held answer carries it too', async () => {
  const site = await openSessionSite({ store: undefined })
  const Cookie = await site.login()
  const { privateToken } = await site.newClient({ userId: 'ann' })
  const polling = poll(site.url, privateToken, { headers: { Cookie } })
  await site.holds(1)
  await site.channel.sendMessage('Count', 1)
  const { headers, messages } = await polling
  expect(headers.getSetCookie()[0]).toMatch(/^koa\.sess=/)
  expect(messages).toMatchObject([{ c: 1 }])
  expect(site.appErrors).toEqual([])
})
