import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { CometOptions, CometStateManager } from 'koa-comet'
import { RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

let warnings: string[]

beforeEach(() => {
  warnings = []
  jest.spyOn(process, 'emitWarning').mockImplementation((text) => {
    warnings.push(String(text))
  })
})

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

const REGISTERS: CometOptions = { register: () => ({}), session: null }

const OVER_TLS = { 'X-Forwarded-Proto': 'https' }

/** Behind a proxy that ends TLS, as `app.proxy` says. */
async function openSiteBehindProxy(options: CometOptions = REGISTERS): Promise<Site> {
  const site = await openSite({ options })
  site.served.app.proxy = true
  return site
}

function register(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: '{ "cookie": true }',
  })
}

/** What a browser would send back. */
function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]!.split(';')[0]!
}

/** As a page of the channel's own host does it over plain HTTP: its browser says no more than `Referer`. */
function openNative(url: string, headers: Readonly<Record<string, string>>): Promise<RawStream> {
  const own = { Referer: new URL('/', url).href }
  return RawStream.open(url, undefined, { headers: { ...own, ...headers } })
}

describe('A page that registers with "cookie": true', () => {
  test('is given its token in a cookie that scripts cannot read and no other site sends along, and nowhere else', async () => {
    const { url } = await openSiteBehindProxy()
    const response = await register(url, OVER_TLS)
    const [cookie] = response.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-comet-comet=[\w-]{43}; path=\/; samesite=strict; secure; httponly$/)
    expect(await response.text()).not.toContain(cookieOf(response).split('=')[1])
    expect(warnings).toEqual([])
  })

  test('as a form is given it as well', async () => {
    const { url } = await openSite({ options: REGISTERS })
    const form = new URLSearchParams({ cookie: 'true' })
    expect(
      (await fetch(`${url}/register`, { method: 'POST', body: form })).headers.getSetCookie(),
    ).toHaveLength(1)
  })

  test('over plain HTTP is given one that a browser takes there, and the process warns once', async () => {
    const { url } = await openSite({ options: { ...REGISTERS, name: 'news' } })
    const response = await register(url)
    await register(url)
    expect(response.headers.getSetCookie()[0]).toMatch(
      /^comet-news=[\w-]{43}; path=\/; samesite=strict; httponly$/,
    )
    expect(warnings).toEqual([expect.stringContaining('over plain HTTP')])
  })

  test('subscribes by that cookie, and is bound to it', async () => {
    const { channel, url } = await openSiteBehindProxy()
    const cookie = cookieOf(await register(url, OVER_TLS))
    const stream = await openNative(url, { Cookie: cookie, ...OVER_TLS })
    const mid = await channel.sendMessage('M', 1)
    await stream.until(({ messages }) => messages[0]?.mid === mid)
    // Under the name of TLS, over plain HTTP: it may be another site's, that has the host without TLS.
    expect((await openNative(url, { Cookie: cookie })).status).toBe(401)
  })
})

describe('The cookie', () => {
  async function cookieSite(): Promise<{ site: Site; channel: CometStateManager; cookie: string }> {
    const site = await openSite({ options: REGISTERS })
    return { site, channel: site.channel, cookie: cookieOf(await register(site.url)) }
  }

  test('stands for no token in any other request than a stream’s', async () => {
    const { site, cookie } = await cookieSite()
    const json = await fetch(site.url, { headers: { Cookie: cookie } })
    const form = await fetch(site.url, { method: 'POST', headers: { Cookie: cookie }, body: 'a=1' })
    expect([json.status, form.status]).toEqual([401, 415])
  })

  test('gives way to a token in a header', async () => {
    const { site, channel, cookie } = await cookieSite()
    const { publicToken, privateToken } = await site.newClient()
    const stream = await RawStream.open(site.url, privateToken, { headers: { Cookie: cookie } })
    await channel.sendMessage('M', 1, { to: publicToken })
    await stream.until(({ messages }) => messages.length === 1)
  })

  test.each(['comet-comet=%', 'comet-comet=', 'comet-comet=;', 'other=1', 'comet-comet=a b'])(
    'that is none is none: %s',
    async (cookie) => {
      const { site } = await cookieSite()
      expect((await openNative(site.url, { Cookie: cookie })).status).toBe(401)
    },
  )

  test('is given by the app to a client of its own, whatever its token', async () => {
    const privateToken = `;,="%\\${'x'.repeat(30)}`
    const { channel, served, url } = await openSite({
      before: [
        (ctx, next) => {
          if (ctx.path !== '/login') return next()
          channel.setTokenCookie(ctx, privateToken)
          ctx.body = 'in'
        },
      ],
    })
    await channel.initializeClient({ publicToken: 'ann', privateToken })
    const cookie = cookieOf(await fetch(`${served.origin}/login`))
    const stream = await openNative(url, { Cookie: cookie })
    await channel.sendMessage('M', 1, { to: 'ann' })
    await stream.until(({ messages }) => messages.length === 1)
  })

  test('is refused by a text that says what it is, if it is none', async () => {
    const { channel } = await openSite()
    expect(() => channel.setTokenCookie({} as never, undefined as never)).toThrow(
      'privateToken must be a text',
    )
  })

  test('says goodbye for its page', async () => {
    const { site, channel, cookie } = await cookieSite()
    const stream = await openNative(`${site.url}?page=page-1`, { Cookie: cookie })
    const left: string[] = []
    channel.on('clientDisconnected', (_client, { reason }) => left.push(reason))
    const goodbye = await fetch(`${site.url}/goodbye`, {
      method: 'POST',
      headers: { Cookie: cookie },
      body: new URLSearchParams({ page: 'page-1' }),
    })
    expect(goodbye.status).toBe(204)
    await stream.until(({ ending }) => ending === 'ended')
    await channel.close({ overSeconds: 0 })
  })

  test('of a page of another site is of no use: its requests are refused', async () => {
    const { site, cookie } = await cookieSite()
    const headers = { Cookie: cookie, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    expect((await openNative(site.url, headers)).status).toBe(403)
  })
})

describe('The cookie in a request that has neither Origin nor Sec-Fetch-Site', () => {
  const LISTED = 'http://listed.example'

  async function statusOf(headers: (own: string) => Record<string, string>): Promise<number> {
    const { url } = await openSite({ options: { ...REGISTERS, origins: [LISTED] } })
    const cookie = cookieOf(await register(url))
    const { status } = await RawStream.open(url, undefined, {
      headers: { Cookie: cookie, ...headers(new URL(url).host) },
    })
    return status
  }

  test.each<[string, (own: string) => Record<string, string>]>([
    ['of the channel’s own host', (own) => ({ Referer: `http://${own}/page` })],
    ['of the own host with TLS, which ends at a proxy', (own) => ({ Referer: `https://${own}/page` })],
    ['of a listed origin', () => ({ Referer: `${LISTED}/page` })],
  ])('counts with a Referer %s', async (_whose, headers) => {
    expect(await statusOf(headers)).toBe(200)
  })

  test.each<[string, (own: string) => Record<string, string>]>([
    ['no Referer', () => ({})],
    ['a sibling host’s', () => ({ Referer: 'http://evil.example/' })],
    ['that of another port', () => ({ Referer: 'http://127.0.0.1:1/' })],
    ['that of a listed host with another scheme', () => ({ Referer: 'https://listed.example/' })],
    ['one that is no URL', () => ({ Referer: '/comet' })],
    ['a URL without a host', () => ({ Referer: 'data:text/html,x' })],
  ])('is refused as another site’s with %s', async (_what, headers) => {
    expect(await statusOf(headers)).toBe(403)
  })

  test('takes nothing over from the page whose it is', async () => {
    const { channel, url } = await openSite({ options: REGISTERS })
    const cookie = cookieOf(await register(url))
    const victim = await openNative(`${url}?page=victim`, { Cookie: cookie })
    const evil = await openNative(`${url}?page=evil`, { Cookie: cookie, Referer: 'http://evil.example/' })
    expect(evil.status).toBe(403)
    await channel.sendMessage('M', 1)
    await victim.until(({ messages }) => messages.length === 1)
  })

  test('is no matter where a header has the token', async () => {
    const { url, newClient } = await openSite({ options: REGISTERS })
    const cookie = cookieOf(await register(url))
    const { privateToken } = await newClient()
    expect((await RawStream.open(url, privateToken, { headers: { Cookie: cookie } })).status).toBe(200)
  })
})

describe('A native EventSource', () => {
  async function twoTabs(): Promise<{ site: Site; older: RawStream; newer: RawStream; cookie: string }> {
    const site = await openSite({ options: REGISTERS })
    const cookie = cookieOf(await register(site.url))
    const older = await openNative(`${site.url}?page=older`, { Cookie: cookie })
    const newer = await openNative(`${site.url}?page=newer`, { Cookie: cookie })
    return { site, older, newer, cookie }
  }

  test('in a newer tab takes the client over, and the older one is told to stay away', async () => {
    const { site, older, newer, cookie } = await twoTabs()
    await older.until(({ ending }) => ending === 'ended')
    expect(older.told.at(-1)).toMatchObject({ n: 'aspNetComet.replaced', c: null })
    const again = { Cookie: cookie, 'Last-Event-ID': newer.headers.get('comet-cursor')! }
    expect((await openNative(`${site.url}?page=older`, again)).status).toBe(204)
    await site.channel.sendMessage('M', 1)
    await newer.until(({ messages }) => messages.length === 1)
  })

  test('with a page that is none is refused', async () => {
    const { site, cookie } = await twoTabs()
    expect((await openNative(`${site.url}?page=a%20b`, { Cookie: cookie })).status).toBe(400)
  })

  test('that would be refused for now is told to come again, since an error status would end it for good', async () => {
    const site = await openSite({ options: { ...REGISTERS, maxHeldRequests: 1 } })
    const cookie = cookieOf(await register(site.url))
    await RawStream.open(site.url, (await site.newClient()).privateToken)
    const refused = await openNative(site.url, { Cookie: cookie })
    await refused.until(({ ending }) => ending === 'ended')
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    expect(refused.told).toMatchObject([{ n: 'aspNetComet.error', code: 'COMET_TOO_MANY_REQUESTS_ARE_HELD' }])
    expect(refused.blocks.at(-1)?.retryMs).toBeGreaterThanOrEqual(3000)
    expect(refused.cursor).toBeUndefined()
  })

  test('whose client is gone is refused for good', async () => {
    const { site, newer, cookie } = await twoTabs()
    for await (const { publicToken } of site.channel.getClients()) await site.channel.stopClient(publicToken)
    await newer.until(({ ending }) => ending === 'ended')
    expect((await openNative(site.url, { Cookie: cookie })).status).toBe(403)
  })
})
