import { afterEach, describe, expect, test } from '@jest/globals'
import { CometException, type CometOptions } from 'koa-comet'
import type { RegisterAnswer } from '../../lib/wire.ts'
import { glance } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

function siteWith(register: CometOptions['register'], options: CometOptions = {}): Promise<Site> {
  return openSite({ options: { ...options, ...(register !== undefined && { register }) } })
}

function post({ url }: Site, query = '', init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/register${query}`, { ...init, method: 'POST' })
}

describe('POST /comet/register', () => {
  test('gives a page its client, and the client its messages from then on', async () => {
    const site = await siteWith((ctx) => ({ displayName: String(ctx.query.name) }))
    const response = await post(site, '?name=Ann')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const answer = (await response.json()) as RegisterAnswer
    const { epoch, head } = site.channel.stats()
    expect(answer).toEqual({
      publicToken: expect.stringMatching(/^[\w-]{22}$/),
      privateToken: expect.stringMatching(/^[\w-]{43}$/),
      displayName: 'Ann',
      keepAliveSeconds: 15,
      cursor: `${epoch}:${head}`,
      connectionTimeoutSeconds: 25,
      connectionIdleSeconds: 90,
      version: 1,
    })
    await site.channel.sendMessage('Hello', 1, { to: answer.publicToken })
    const { messages, outcome } = await glance(site.url, answer.privateToken, { cursor: answer.cursor })
    expect([messages[0]?.n, outcome]).toEqual(['Hello', 'resumed'])
  })

  test('lets register see query, headers and the parsed body, and set every field', async () => {
    const site = await siteWith(async (ctx) => {
      const { name } = ctx.request.body as { name: string }
      return {
        publicToken: String(ctx.query.id),
        privateToken: 'p'.repeat(30),
        displayName: name,
        userId: 'user-7',
        sessionId: ctx.get('X-Session'),
        data: { colour: 'red' },
        connectionTimeoutSeconds: 5,
        connectionIdleSeconds: 6,
      }
    })
    const headers = { 'X-Session': 'session-9' }
    const response = await post(site, '?id=bob', { headers, body: new URLSearchParams({ name: 'Bob' }) })
    expect(await response.json()).toMatchObject({
      publicToken: 'bob',
      privateToken: 'p'.repeat(30),
      displayName: 'Bob',
      connectionTimeoutSeconds: 5,
      connectionIdleSeconds: 6,
    })
    expect(await site.channel.getCometClient('p'.repeat(30))).toMatchObject({
      userId: 'user-7',
      sessionId: 'session-9',
      data: { colour: 'red' },
    })
  })

  test('takes a JSON body, and none', async () => {
    const site = await siteWith((ctx) => {
      const { name = 'nobody' } = (ctx.request.body ?? {}) as { name?: string }
      return { displayName: name }
    })
    const headers = { 'Content-Type': 'application/json' }
    expect(await (await post(site, '', { headers, body: '{"name":"Cy"}' })).json()).toMatchObject({
      displayName: 'Cy',
    })
    expect(await (await post(site)).json()).toMatchObject({ displayName: 'nobody' })
  })

  test('makes another client each time', async () => {
    const site = await siteWith(() => ({}))
    const answers = await Promise.all(
      [1, 2, 3].map(async () => (await post(site)).json() as Promise<RegisterAnswer>),
    )
    expect(new Set(answers.map(({ publicToken }) => publicToken)).size).toBe(3)
    expect(new Set(answers.map(({ privateToken }) => privateToken)).size).toBe(3)
  })

  test.each([null, undefined])('does not exist when the option is %s: Koa answers 404', async (register) => {
    const site = await siteWith(register)
    const response = await post(site)
    expect([response.status, await response.text()]).toEqual([404, 'Not Found'])
  })

  test('refuses a page with 403 when register gives null', async () => {
    const site = await siteWith(async () => null)
    const response = await post(site)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject([{ code: 'COMET_REGISTRATION_IS_REFUSED' }])
    expect(site.errors).toEqual([])
  })

  test.each([undefined, true, 'yes', 7])(
    'lets nobody in when register forgets to say: it gave %s',
    async (given) => {
      const site = await siteWith(() => given as unknown as null)
      const response = await post(site)
      expect(response.status).toBe(500)
      await new Promise((resolve) => setImmediate(resolve))
      expect(site.errors).toEqual([expect.any(TypeError)])
      expect(String(site.errors[0])).toContain('null')
      for await (const client of site.channel.getClients())
        throw new Error(`${client.publicToken} was let in`)
    },
  )

  test.each([
    [
      'throws',
      () => {
        throw new Error('the password is hunter2')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the password is hunter2'))],
    [
      'throws what is no error',
      () => {
        throw 'the password is hunter2'
      },
    ],
    [
      'throws an error that Koa would show',
      () => {
        throw Object.assign(new Error('the password is hunter2'), {
          status: 400,
          expose: true,
          headers: { 'X-Leak': 'hunter2' },
        })
      },
    ],
    ['gives an unknown field', () => ({ password: 'hunter2' }) as object],
  ] as const)(
    'that %s is answered 500 with a fixed text; the event error has the rest',
    async (_, register) => {
      const site = await siteWith(register)
      const response = await post(site)
      expect(response.status).toBe(500)
      expect([...response.headers].join()).not.toContain('hunter2')
      expect(await response.text()).toBe(
        '[{"mid":0,"n":"aspNetComet.error","c":"The server failed. Try again later.","code":"COMET_INTERNAL_ERROR"}]',
      )
      await new Promise((resolve) => setImmediate(resolve))
      expect(site.errors).toHaveLength(1)
      expect(site.appErrors).toEqual([])
    },
  )

  test('says what is wrong with a field, and passes an exception of the channel on', async () => {
    const bad = await siteWith(() => ({ displayName: '' }))
    expect((await post(bad)).status).toBe(400)
    const taken = await siteWith(() => ({ publicToken: 'ann' }))
    expect((await post(taken)).status).toBe(200)
    const again = await post(taken)
    expect(again.status).toBe(409)
    expect(await again.json()).toMatchObject([{ code: 'COMET_CLIENT_ALREADY_EXISTS' }])
    const own = await siteWith(() => {
      throw new CometException('COMET_TOO_MANY_CLIENTS', 'Enough for today.')
    })
    expect((await post(own)).status).toBe(503)
  })
})
