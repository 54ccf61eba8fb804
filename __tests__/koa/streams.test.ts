import { afterEach, describe, expect, test } from '@jest/globals'
import cors from '@koa/cors'
import Router, { type RouterMiddleware } from '@koa/router'
import type { Middleware } from 'koa'
import compress from 'koa-compress'
import mount from 'koa-mount'
import type { WireMessage } from '../../lib/wire.ts'
import { RawConnection } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { poll } from '../support/page.ts'
import { RawStream, type StreamOptions } from '../support/raw-stream.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

/** The first event, and each message as it is sent, arrive while the stream is open. */
async function expectStreamed(site: Site, url = site.url, options: StreamOptions = {}): Promise<RawStream> {
  const { privateToken } = await site.newClient()
  const stream = await RawStream.open(url, privateToken, options)
  await stream.until(({ told }) => told.length === 1)
  for (const [index, contents] of ['small', 'x'.repeat(50_000), 'last'].entries()) {
    await site.channel.sendMessage('M', contents)
    await stream.until(({ messages }) => messages.length === index + 1)
    expect(stream.contents.at(-1)).toBe(contents)
  }
  expect([stream.status, stream.ending]).toEqual([200, undefined])
  expect(stream.headers.get('content-encoding')).toBeNull()
  expect([site.errors, site.appErrors]).toEqual([[], []])
  return stream
}

describe('a stream', () => {
  test.each<readonly [string, Middleware]>([
    ['as it is', compress() as Middleware],
    ['that compresses the smallest', compress({ threshold: 0 }) as Middleware],
    ['that compresses event streams', compress({ filter: () => true, threshold: 0 }) as Middleware],
  ])('behind koa-compress %s is withheld in no part', async (_, middleware) => {
    const site = await openSite({ before: [middleware] })
    await expectStreamed(site, site.url, { headers: { 'Accept-Encoding': 'br, gzip, deflate' } })
  })

  test('behind @koa/cors may be read by a listed page, with each header once', async () => {
    const origin = 'https://app.example'
    const before = [cors({ origin, credentials: true })]
    const site = await openSite({ before, options: { origins: [origin] } })
    const headers = { Origin: origin, 'Sec-Fetch-Site': 'cross-site' }
    const stream = await expectStreamed(site, site.url, { headers })
    expect(stream.headers.get('access-control-allow-origin')).toBe(origin)
    expect(stream.headers.get('access-control-allow-credentials')).toBe('true')
    expect(stream.headers.get('access-control-expose-headers')).toContain('Comet-Cursor')
    expect(stream.headers.get('vary')).toBe('Origin')
  })

  test('has the headers that middleware sets, before or after the channel', async () => {
    const site = await openSite({
      before: [
        async (ctx, next) => {
          ctx.set('X-Before', '1')
          await next()
          ctx.set('X-After', '2')
          ctx.cookies.set('one', '1')
          ctx.cookies.set('other', '2')
        },
      ],
    })
    const { headers } = await expectStreamed(site)
    expect([headers.get('x-before'), headers.get('x-after')]).toEqual(['1', '2'])
    expect(headers.getSetCookie().map((cookie) => cookie.split(';')[0])).toEqual(['one=1', 'other=2'])
  })

  test('is open in an app that is mounted by koa-mount', async () => {
    const site = await openSite({ mount: (channel) => mount('/api', channel.mount('/comet')) })
    await expectStreamed(site, `${site.served.origin}/api/comet`)
  })

  test('is open below a prefix of @koa/router', async () => {
    const site = await openSite({
      mount(channel) {
        const router = new Router({ prefix: '/shops/:shop' })
        router.all('/comet', channel.subscribe() as RouterMiddleware)
        return router.routes() as unknown as Middleware
      },
    })
    await expectStreamed(site, `${site.served.origin}/shops/7/comet`)
  })
})

describe('a stream whose response', () => {
  test('has a write of another middleware goes through it, also if that returns nothing', async () => {
    let written = 0
    const site = await openSite({
      before: [
        ({ res }, next) => {
          const write = res.write.bind(res) as (...details: unknown[]) => boolean
          Object.assign(res, {
            write(...details: unknown[]) {
              written += 1
              write(...details)
            },
          })
          return next()
        },
      ],
    })
    await expectStreamed(site)
    expect(written).toBeGreaterThanOrEqual(4)
  })

  test('has a writeHead of another middleware goes through it', async () => {
    const site = await openSite({
      before: [
        ({ res }, next) => {
          const writeHead = res.writeHead.bind(res) as (...details: unknown[]) => unknown
          Object.assign(res, {
            writeHead(...details: unknown[]) {
              res.setHeader('X-Late', '1')
              return writeHead(...details)
            },
          })
          return next()
        },
      ],
    })
    expect((await expectStreamed(site)).headers.get('x-late')).toBe('1')
  })

  test.each(['text/event-stream', 'application/json'])(
    'was begun by another middleware is cut, so that its page asks again: %s',
    async (accept) => {
      const site = await openSite({
        before: [
          async (ctx, next) => {
            await next()
            if (ctx.get('X-Spoil') !== '') ctx.res.writeHead(200).write('something else')
          },
        ],
      })
      const { privateToken } = await site.newClient()
      const connection = await RawConnection.open(site.port)
      const lines = `Host: x\r\nAccept: ${accept}\r\nX-Spoil: 1\r\nComet-Token: ${privateToken}\r\n`
      connection.send(`GET /comet HTTP/1.1\r\n${lines}\r\n`)
      await eventually(() => connection.received.includes('something else'))
      await site.channel.sendMessage('M', 1)
      await eventually(() => connection.isClosed)
      await site.holds(0)
      expect((await poll(site.url, privateToken)).messages).toMatchObject([{ c: 1 }])
    },
  )
})

test('a client of HTTP/1.0 is given a stream without chunks, until the connection ends', async () => {
  const site = await openSite()
  const { privateToken } = await site.newClient()
  const connection = await RawConnection.open(site.port)
  const lines = `Host: x\r\nAccept: text/event-stream\r\nComet-Token: ${privateToken}\r\n`
  connection.send(`GET /comet HTTP/1.0\r\n${lines}\r\n`)
  await site.holds(1)
  const [first, second] = [await site.channel.sendMessage('M', 1), await site.channel.sendMessage('M', 2)]
  await eventually(() => connection.received.includes(`"mid":${second}`))
  expect(connection.isClosed).toBe(false)
  await site.channel.close({ overSeconds: 0 })
  await eventually(() => connection.isClosed)
  const [head, ...rest] = connection.received.split('\r\n\r\n')
  expect(head).not.toMatch(/transfer-encoding|content-length/i)
  const blocks = rest.join('\r\n\r\n').split('\n\n')
  const data = blocks.flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? [])
  expect(data.slice(1).map((each) => JSON.parse(each) as WireMessage)).toMatchObject([
    { mid: first, c: 1 },
    { mid: second, c: 2 },
  ])
  expect(blocks.slice(-2)).toEqual([expect.stringMatching(/^retry: \d+$/), ''])
})
