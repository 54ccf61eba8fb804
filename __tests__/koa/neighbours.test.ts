import { afterEach, describe, expect, test } from '@jest/globals'
import cors from '@koa/cors'
import type { Middleware } from 'koa'
import bodyParser from 'koa-bodyparser'
import compress from 'koa-compress'
import { expectServed } from '../handlers/expect-served.ts'
import { type RawAnswer, rawExchange } from '../handlers/raw-connection.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

describe('behind koa-compress', () => {
  const before = [compress({ threshold: 0 }) as Middleware]

  test('field row 12: a held answer is neither compressed nor withheld, however large', async () => {
    const site = await openSite({ before })
    const { privateToken } = await site.newClient()
    const answering = rawExchange(
      site.port,
      `GET /comet HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\nComet-Token: ${privateToken}\r\n\r\n`,
    )
    await site.holds(1)
    await site.channel.sendMessage('Large', 'x'.repeat(50_000))
    expectUncompressed(await answering)
  })

  test('an answer given at once, an error and a registration are not compressed either', async () => {
    const site = await openSite({ before, options: { register: () => ({}) } })
    const { privateToken } = await site.newClient()
    await site.channel.sendMessage('Large', 'x'.repeat(50_000))
    const gzip = 'HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip'
    const requests = [
      `GET /comet ${gzip}\r\nComet-Token: ${privateToken}\r\n\r\n`,
      `GET /comet ${gzip}\r\nComet-Token: unknown\r\n\r\n`,
      `POST /comet/register ${gzip}\r\nContent-Length: 0\r\n\r\n`,
    ]
    for (const request of requests) expectUncompressed(await rawExchange(site.port, request))
  })

  test('what a middleware between sets as a body is not compressed into a held answer', async () => {
    const setsBody: Middleware = async (ctx, next) => {
      await next()
      ctx.body = { unwanted: 'x'.repeat(5000) }
    }
    const site = await openSite({ before: [...before, setsBody] })
    const { privateToken } = await site.newClient()
    const answering = rawExchange(
      site.port,
      `GET /comet HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nComet-Token: ${privateToken}\r\n\r\n`,
    )
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    expectUncompressed(await answering)
  })

  function expectUncompressed({ headers, body }: RawAnswer): void {
    expect(headers['content-encoding']).toBeUndefined()
    expect(headers['transfer-encoding']).toBeUndefined()
    expect(JSON.parse(body)).toBeInstanceOf(Object)
  }
})

describe('behind @koa/cors', () => {
  const LISTED = 'https://app.example'
  const headers = { Origin: LISTED, 'Sec-Fetch-Site': 'cross-site' }

  test('a listed page is served, held or not, and each header is there once', async () => {
    const before = [cors({ origin: LISTED, credentials: true })]
    const site = await openSite({ before, options: { origins: [LISTED] } })
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken, { headers })
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    for (const answer of [await polling, await glance(site.url, privateToken, { headers })]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe(LISTED)
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
      expect(answer.headers.get('access-control-expose-headers')).toContain('Comet-Cursor')
      expect(answer.headers.get('vary')).toBe('Origin')
    }
  })

  test('a page that the channel does not list is refused, though @koa/cors would let it in', async () => {
    const site = await openSite({ before: [cors()] })
    const { privateToken } = await site.newClient()
    expect((await glance(site.url, privateToken, { headers })).status).toBe(403)
  })

  test('the preflight is answered, by whichever of the two comes first', async () => {
    const site = await openSite({ before: [cors({ origin: LISTED })], options: { origins: [LISTED] } })
    const response = await fetch(site.url, {
      method: 'OPTIONS',
      headers: {
        ...headers,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'comet-token',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(LISTED)
    expect(response.headers.get('access-control-allow-headers')).toContain('comet-token')
  })
})

describe('behind a body parser that the app has mounted', () => {
  const before = [bodyParser({ enableTypes: ['json', 'form', 'text'] })]

  test('GET, the AspNetComet form, JSON, goodbye and register work as without', async () => {
    const site = await openSite({
      before,
      options: {
        register: ({ request }) => ({ displayName: String((request.body as { name: string }).name) }),
      },
    })
    await expectServed(site)
    const { privateToken } = await site.newClient()
    const id = await site.channel.sendMessage('Count', 3)
    const form = await fetch(site.url, {
      method: 'POST',
      body: new URLSearchParams({ privateToken, lastMessageId: '0' }),
    })
    expect(await form.json()).toEqual([{ mid: id, n: 'Count', c: 3 }])
    const type = { 'Content-Type': 'application/json' }
    const json = await fetch(site.url, {
      method: 'POST',
      headers: type,
      body: JSON.stringify({ privateToken }),
    })
    expect(await json.json()).toEqual([{ mid: id, n: 'Count', c: 3 }])
    const body = new URLSearchParams({ name: 'Ann', privateToken })
    const registered = await fetch(`${site.url}/register`, { method: 'POST', body })
    expect(await registered.json()).toMatchObject({ displayName: 'Ann' })
    expect((await fetch(`${site.url}/goodbye`, { method: 'POST', body })).status).toBe(204)
  })

  test.each([
    ['a text', 'text/plain', 'privateToken=x'],
    ['a list', 'application/json', '[1]'],
    ['nothing', 'application/xml', '<x/>'],
  ])('a body that it made %s of is refused, not trusted', async (_, type, body) => {
    const site = await openSite({ before })
    const response = await fetch(`${site.url}/goodbye`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject([{ code: 'COMET_TOKEN_IS_MISSING' }])
  })
})

test('behind a proxy that ends TLS, with app.proxy, a page of the public origin is served', async () => {
  const site = await openSite()
  site.served.app.proxy = true
  const { privateToken } = await site.newClient()
  const answer = await rawExchange(
    site.port,
    `GET /comet HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9\r\n` +
      `Origin: https://shop.example\r\nPrefer: wait=0\r\nComet-Token: ${privateToken}\r\n\r\n`,
  )
  expect(answer.status).toBe(200)
})

describe('behind what sets or hooks the head of an answer', () => {
  test('a stream and a held poll have the text of their own status', async () => {
    const deniesFirst: Middleware = async (ctx, next) => {
      ctx.status = 401
      await next()
    }
    const site = await openSite({ before: [deniesFirst] })
    const { privateToken } = await site.newClient()
    const polling = fetch(site.url, { headers: { 'Comet-Token': privateToken } })
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    const polled = await polling
    expect([polled.status, polled.statusText]).toEqual([200, 'OK'])
    const headers = { 'Comet-Token': privateToken, Accept: 'text/event-stream' }
    const streamed = await fetch(site.url, { headers })
    expect([streamed.status, streamed.statusText]).toEqual([200, 'OK'])
    await streamed.body!.cancel()
  })

  test('a held poll keeps its headers where writeHead is hooked with a status and headers alone', async () => {
    const hooks: Middleware = async (ctx, next) => {
      const writeHead = ctx.res.writeHead.bind(ctx.res) as (
        status: number,
        headers?: object,
      ) => typeof ctx.res
      ctx.res.writeHead = ((status: number, headers: object) =>
        writeHead(status, { ...headers, 'X-Hooked': 'yes' })) as typeof ctx.res.writeHead
      await next()
    }
    const site = await openSite({ before: [hooks] })
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    const { headers, messages, cursor } = await polling
    expect(headers.get('X-Hooked')).toBe('yes')
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(cursor).not.toBeNull()
    expect(messages).toMatchObject([{ n: 'Count', c: 1 }])
  })
})

test('what a hook of writeHead adds to one answer of many is on no other', async () => {
  const adds: Middleware = ({ res }, next) => {
    const writeHead = res.writeHead.bind(res) as (status: number, headers: Record<string, string>) => unknown
    const cookie = res.req.headers['x-cookie']
    if (typeof cookie === 'string') {
      Object.assign(res, {
        writeHead(status: number, headers: Record<string, string>) {
          headers['Set-Cookie'] = cookie
          return writeHead(status, headers)
        },
      })
    }
    return next()
  }
  const site = await openSite({ before: [adds] })
  const answers: Promise<RawAnswer>[] = []
  for (const cookie of ['sid=ann', '']) {
    const { privateToken } = await site.newClient()
    const lines = `Host: x\r\nComet-Token: ${privateToken}${cookie && `\r\nX-Cookie: ${cookie}`}`
    answers.push(rawExchange(site.port, `GET /comet HTTP/1.1\r\n${lines}\r\n\r\n`))
    await site.holds(answers.length)
  }
  await site.channel.sendMessage('M', 1)
  const cookies = (await Promise.all(answers)).map(({ headers }) => headers['set-cookie'])
  expect(cookies).toEqual(['sid=ann', undefined])
})

test('a middleware that chains on the channel’s promise has one, of whatever request', async () => {
  const finished: string[] = []
  const site = await openSite({
    mount: (channel) => {
      const comet = channel.mount()
      return (ctx, next) => (comet(ctx, next) as Promise<void>).finally(() => finished.push(ctx.path))
    },
  })
  const { privateToken } = await site.newClient()
  for (let polls = 0; polls < 3; polls++) expect((await glance(site.url, privateToken)).status).toBe(200)
  await glance(`${site.url}/send`, privateToken)
  expect(finished).toEqual(['/comet', '/comet', '/comet', '/comet/send'])
})
