import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { type CometAction, type CometOptions, CometRefusal } from 'koa-comet'
import { post } from '../support/post.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

const REQUESTS = { joinable: () => true, clientList: () => true } satisfies CometOptions

/** What a client can do beside its subscription, with the status that it has. */
const ACTS: Record<string, (site: Site, token: string) => Promise<number>> = {
  send: async ({ url }, token) => (await post(`${url}/send`, token, { n: 'Say' })).status,
  join: async ({ url }, token) => (await post(`${url}/groups`, token, { join: ['room'] })).status,
  leave: async ({ url }, token) => (await post(`${url}/groups`, token, { leave: ['room'] })).status,
  clients: async ({ url }, token) => {
    const headers = { Authorization: `Bearer ${token}` }
    return (await fetch(`${url}/clients?group=room`, { headers })).status
  },
}

async function openAuthorized(authorize: CometOptions['authorize']) {
  const site = await openSite({ options: { ...REQUESTS, authorize } })
  site.channel.onMessage('Say', () => 'ok')
  const { privateToken, publicToken } = await site.newClient()
  return { site, privateToken, publicToken }
}

test('authorize is asked at each request, and told what it is about', async () => {
  const asked: CometAction[] = []
  const { site, privateToken, publicToken } = await openAuthorized((ctx, action) => {
    expect(ctx.path).toMatch(/^\/comet/)
    asked.push(action)
    return true
  })
  for (const act of Object.values(ACTS)) expect(await act(site, privateToken)).toBe(200)
  const client = expect.objectContaining({ publicToken })
  expect(asked).toEqual([
    { kind: 'send', client, name: 'Say' },
    { kind: 'join', client, group: 'room' },
    { kind: 'leave', client, group: 'room' },
    { kind: 'clients', client, group: 'room' },
  ])
})

describe.each(Object.entries(ACTS))('To %s', (_kind, act) => {
  test('is refused with 403 where the app says no, and with 401 where it asks for a login', async () => {
    const answers: [NonNullable<CometOptions['authorize']>, number][] = [
      [() => false, 403],
      [async () => false, 403],
      [(ctx) => ctx.throw(403), 403],
      [(ctx) => ctx.throw(401), 401],
    ]
    for (const [authorize, status] of answers) {
      const { site, privateToken } = await openAuthorized(authorize)
      expect(await act(site, privateToken)).toBe(status)
      expect(site.errors).toEqual([])
    }
  })

  test('a forgotten answer, or one that throws, lets nobody in', async () => {
    for (const authorize of [() => undefined, () => 1, () => Promise.reject(new Error('secret'))]) {
      const { site, privateToken } = await openAuthorized(authorize as never)
      expect(await act(site, privateToken)).toBe(500)
      expect(site.errors).toHaveLength(1)
    }
  })
})

overEachTransport(({ glance, poll }) => {
  test('A subscription is refused with 401 and 403 as well, and its client stays', async () => {
    let answer: NonNullable<CometOptions['authorize']> = () => true
    const { site, privateToken } = await openAuthorized((ctx, action) => answer(ctx, action))
    const { url } = site
    expect((await glance(url, privateToken)).status).toBe(200)
    answer = () => false
    expect((await poll(url, privateToken)).status).toBe(403)
    answer = (ctx) => ctx.throw(401)
    expect((await poll(url, privateToken)).status).toBe(401)
    answer = ({ path }, { kind }) => path === '/comet' && kind === 'subscribe'
    expect((await glance(url, privateToken)).status).toBe(200)
  })
})

test('Why a subscription is refused is told in whatever form it wants to be told', async () => {
  const authorize = () => {
    throw new CometRefusal('CARD_IS_NEEDED', 'Show your card.', { at: 7 })
  }
  const { site, privateToken } = await openAuthorized(authorize)
  const told = [{ n: 'aspNetComet.error', code: 'CARD_IS_NEEDED', c: 'Show your card.', details: { at: 7 } }]
  const poll = await fetch(site.url, { headers: { Authorization: `Bearer ${privateToken}` } })
  expect([poll.status, poll.headers.get('cache-control'), await poll.json()]).toMatchObject([
    422,
    'no-store',
    told,
  ])
  const form = new URLSearchParams({ privateToken, lastMessageId: '0' })
  const ofOldClient = await fetch(site.url, { method: 'POST', body: form })
  expect([ofOldClient.status, await ofOldClient.json()]).toMatchObject([200, told])
})

describe('The session of a page that registers', () => {
  const register = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/register`, { method: 'POST', headers })
    const cookie = response.headers.getSetCookie()[0]
    return { status: response.status, cookie, body: (await response.json()) as { privateToken: string } }
  }
  const sessionOf = async ({ channel }: Site, { privateToken }: { privateToken: string }) =>
    (await channel.getCometClient(privateToken)).sessionId

  test('is a random one of the browser’s, in a cookie, by default', async () => {
    const site = await openSite({ options: { register: () => ({}) } })
    const first = await register(site.url)
    expect(first.cookie).toMatch(/^comet\.session-comet=[\w-]{22}; path=\/; samesite=strict; httponly$/)
    const Cookie = first.cookie!.split(';')[0]!
    const second = await register(site.url, { Cookie })
    expect(second.cookie).toBeUndefined()
    const sessions = [await sessionOf(site, first.body), await sessionOf(site, second.body)]
    expect(sessions).toEqual([Cookie.split('=')[1], Cookie.split('=')[1]])
    const other = await register(site.url)
    expect(await sessionOf(site, other.body)).not.toBe(sessions[0])
  })

  test('is none that a page has chosen', async () => {
    const site = await openSite({ options: { register: () => ({}) } })
    for (const chosen of ['admin', 'a'.repeat(23), '']) {
      const { body, cookie } = await register(site.url, { Cookie: `comet.session-comet=${chosen}` })
      expect(await sessionOf(site, body)).not.toBe(chosen)
      expect(cookie).toMatch(/^comet\.session-comet=[\w-]{22};/)
    }
  })

  test('is the app’s own where it says so, without a cookie', async () => {
    const session = jest.fn<NonNullable<Exclude<CometOptions['session'], 'cookie'>>>()
    const site = await openSite({ options: { register: () => ({}), session } })
    for (const [given, expected] of [
      ['s1', 's1'],
      [null, undefined],
      [undefined, undefined],
      [Promise.resolve('s2'), 's2'],
    ] as const) {
      session.mockReturnValueOnce(given as string)
      const { body, cookie } = await register(site.url)
      expect([await sessionOf(site, body), cookie]).toEqual([expected, undefined])
    }
    session.mockReturnValueOnce(7 as never)
    expect((await register(site.url)).status).toBe(500)
  })

  test('is the one that register gives, or none with null, without a cookie', async () => {
    const own = await openSite({ options: { register: () => ({ sessionId: 'mine' }) } })
    const given = await register(own.url)
    expect([await sessionOf(own, given.body), given.cookie]).toEqual(['mine', undefined])
    const none = await openSite({ options: { register: () => ({}), session: null } })
    const without = await register(none.url)
    expect([await sessionOf(none, without.body), without.cookie]).toEqual([undefined, undefined])
  })

  test('is in a cookie that no other channel’s token is in, whatever the channels are called', async () => {
    const named = (name: string) => openSite({ options: { name, register: () => ({}) } })
    const [one, two] = [await named('session-a'), await named('a')]
    const body = new URLSearchParams({ cookie: 'true' })
    const token = await fetch(`${one.url}/register`, { method: 'POST', body })
    const session = await fetch(`${two.url}/register`, { method: 'POST' })
    const namesOf = ({ headers }: Response) => headers.getSetCookie().map((cookie) => cookie.split('=')[0]!)
    expect(namesOf(token)).toHaveLength(2)
    expect(namesOf(token)).not.toContain(namesOf(session)[0])
  })

  test('is a name for messages', async () => {
    const site = await openSite({ options: { register: () => ({}) } })
    const { cookie, body } = await register(site.url)
    const session = cookie!.split(';')[0]!.split('=')[1]!
    const id = await site.channel.sendMessage('M', 1, { session })
    const headers = { Authorization: `Bearer ${body.privateToken}`, Prefer: 'wait=0' }
    expect(await (await fetch(site.url, { headers })).json()).toEqual([{ mid: id, n: 'M', c: 1 }])
  })
})
