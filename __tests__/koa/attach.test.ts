import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttp2Server, connect as openSession } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { CometOptions } from 'koa-comet'
import { type RawAnswer, RawConnection, rawExchange } from '../handlers/raw-connection.ts'
import { glance, poll } from '../support/page.ts'
import { listen } from '../support/serve.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

/** A site whose channel is attached, and the requests that its app has seen. */
async function openAttached(options: CometOptions = {}): Promise<{ site: Site; seen: string[] }> {
  const seen: string[] = []
  const site = await openSite({
    options,
    before: [
      ({ method, url }, next) => {
        seen.push(`${method} ${url}`)
        return next()
      },
    ],
  })
  site.channel.attach(site.served.server)
  return { site, seen }
}

overEachTransport(({ glance, poll }) => {
  test('the app sees nothing of those who subscribe, and they get all', async () => {
    const { site, seen } = await openAttached()
    const { privateToken } = await site.newClient()
    const { cursor } = await glance(site.url, privateToken)
    const held = poll(site.url, privateToken, { cursor: cursor! })
    await site.holds(1)
    await site.channel.sendMessage('M', 1)
    const { messages, cursor: next } = await held
    await site.channel.sendMessage('M', 2)
    const again = await poll(site.url, privateToken, { cursor: next! })
    expect([...messages, ...again.messages].map(({ c }) => c)).toEqual([1, 2])
    expect(seen).toEqual([])
  })
})

describe('The app goes on to see', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['another address', 'GET /comet/elsewhere HTTP/1.1\r\nHost: x\r\nComet-Token: t\r\n\r\n', 404],
    ['an address that only begins alike', 'GET /comets HTTP/1.1\r\nHost: x\r\nComet-Token: t\r\n\r\n', 404],
    ['a registration', 'POST /comet/register HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 200],
    ['another method', 'DELETE /comet HTTP/1.1\r\nHost: x\r\nComet-Token: t\r\n\r\n', 405],
    ['a request without a token', 'GET /comet HTTP/1.1\r\nHost: x\r\n\r\n', 401],
    [
      'one with a login of another kind',
      'GET /comet HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n',
      401,
    ],
    ['a form', 'POST /comet HTTP/1.1\r\nHost: x\r\nComet-Token: t\r\nContent-Length: 0\r\n\r\n', 401],
    [
      'a preflight',
      'OPTIONS /comet HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n\r\n',
      204,
    ],
  ]

  test.each(cases)('%s', async (_, request, status) => {
    const { site, seen } = await openAttached({ register: () => ({}), origins: ['https://app.example'] })
    expect((await rawExchange(site.port, request)).status).toBe(status)
    expect(seen).toEqual([request.split(' HTTP')[0]])
  })

  test('a native EventSource, which brings its token in a cookie', async () => {
    const { site, seen } = await openAttached()
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    const lines = `Host: x\r\nAccept: text/event-stream\r\nSec-Fetch-Site: same-origin\r\nCookie: comet-comet=${privateToken}`
    connection.send(`GET /comet HTTP/1.1\r\n${lines}\r\n\r\n`)
    await site.holds(1)
    expect(seen).toEqual(['GET /comet'])
    await connection.close()
  })
})

describe('What is answered is the same as through Koa', () => {
  const options = {
    origins: ['https://app.example'],
    maxHeldRequests: 1,
  }

  /** Lines of a request of a client; `token` stands for its own. */
  const requests: Readonly<Record<string, string>> = {
    'a quiet poll': 'Comet-Token: token\r\nPrefer: wait=0',
    'messages from a cursor': 'Comet-Token: token\r\nLast-Event-ID: cursor\r\nPrefer: wait=0',
    'a token as Bearer': 'Authorization: Bearer token\r\nPrefer: wait=0',
    'a page of a listed origin': 'Comet-Token: token\r\nOrigin: https://app.example\r\nPrefer: wait=0',
    'a page of another origin': 'Comet-Token: token\r\nOrigin: https://other.example',
    'an unknown token': 'Comet-Token: unknown',
    'a cursor that is none': 'Comet-Token: token\r\nLast-Event-ID: x\r\nPrefer: wait=0',
    'a page id that is none': 'Comet-Token: token\r\nComet-Page: ?',
    'a type that there is not': 'Comet-Token: token\r\nAccept: image/png',
    'a body': 'Comet-Token: token\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 and no more': 'Comet-Token: token\r\nPrefer: wait=0\r\nConnection: close',
  }

  /** What comes back, but for the time of day. */
  async function answerOf(port: number, lines: string): Promise<RawAnswer> {
    const { headers, ...rest } = await rawExchange(
      port,
      `GET /comet?a=b HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`,
    )
    const { date, ...others } = headers
    expect(date).toBeDefined()
    return { ...rest, headers: others }
  }

  test.each(Object.entries(requests))('%s', async (_, lines) => {
    const { site } = await openAttached(options)
    const mounted = await listen(site.served.app.callback())
    const { privateToken } = await site.newClient()
    const { cursor } = await glance(site.url, privateToken)
    await site.channel.sendMessage('M', 'ä')
    const sent = lines.replace('token', privateToken).replace('cursor', cursor!)
    expect(await answerOf(site.port, sent)).toEqual(await answerOf(mounted.port, sent))
    await mounted.close()
  })

  test('too many held requests', async () => {
    for (const isAttached of [true, false]) {
      const site = await openSite({ options })
      if (isAttached) site.channel.attach(site.served.server)
      const [one, two] = [await site.newClient(), await site.newClient()]
      const held = poll(site.url, one.privateToken)
      await site.holds(1)
      const { status, messages } = await poll(site.url, two.privateToken)
      expect([status, messages[0]?.code]).toEqual([503, 'COMET_TOO_MANY_REQUESTS_ARE_HELD'])
      await site.channel.sendMessage('M', 1)
      await held
    }
  })

  test('a channel that is closed', async () => {
    const { site, seen } = await openAttached()
    const { privateToken } = await site.newClient()
    const held = poll(site.url, privateToken)
    await site.holds(1)
    await site.channel.close({ overSeconds: 0 })
    expect((await held).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    const { status, messages } = await poll(site.url, privateToken)
    expect([status, messages[0]?.code]).toEqual([503, 'COMET_CHANNEL_IS_CLOSED'])
    expect(seen).toEqual([])
  })
})

describe('Attached', () => {
  test('at another path than it is mounted at, as the server sees it', async () => {
    const { site, seen } = await openAttached()
    site.channel.attach(site.served.server, '/api/comet')
    const { privateToken } = await site.newClient()
    const { status } = await glance(`${site.served.origin}/api/comet`, privateToken)
    expect([status, seen]).toEqual([200, []])
  })

  test('two channels of one server are both past the app', async () => {
    const { site, seen } = await openAttached()
    const other = await openSite()
    other.channel.attach(site.served.server, '/other')
    const { privateToken } = await other.newClient()
    const { status } = await glance(`${site.served.origin}/other`, privateToken)
    expect((await glance(site.url, (await site.newClient()).privateToken)).status).toBe(200)
    expect([status, seen]).toEqual([200, []])
  })

  test('over HTTP/2', async () => {
    const { site, seen } = await openAttached()
    const server = createHttp2Server({}, site.served.app.callback())
    site.channel.attach(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = openSession(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const { privateToken } = await site.newClient()
    const stream = session.request({ ':path': '/comet', 'comet-token': privateToken })
    const answered = once(stream, 'response') as Promise<[Readonly<Record<string, unknown>>]>
    stream.setEncoding('utf8')
    await site.holds(1)
    await site.channel.sendMessage('M', 1)
    const [headers] = await answered
    expect(headers[':status']).toBe(200)
    let body = ''
    for await (const piece of stream) body += piece
    expect(JSON.parse(body)).toMatchObject([{ n: 'M', c: 1 }])
    expect(seen).toEqual([])
    session.close()
    server.close()
    await once(server, 'close')
  })

  test('it answers as it is asked on one connection: one after another', async () => {
    const { site } = await openAttached()
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    const request = `GET /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\nPrefer: wait=0\r\n\r\n`
    connection.send(`${request}GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n${request}`)
    const statuses: number[] = []
    for (let index = 0; index < 3; index++) statuses.push((await connection.answer()).status)
    expect(statuses).toEqual([200, 404, 200])
    await connection.close()
  })

  test.each(['identify', 'authorize'] as const)(
    'not with the option %s, which needs what middleware made',
    async (name) => {
      const site = await openSite({ options: { [name]: () => null } })
      expect(() => site.channel.attach(site.served.server)).toThrow(TypeError)
      expect(() => site.channel.attach(site.served.server)).toThrow(/identify and authorize/)
    },
  )

  test('not to a server without an app, nor at what is no path', async () => {
    const site = await openSite()
    expect(() => site.channel.attach(createServer())).toThrow(/give it the server of one/)
    expect(() => site.channel.attach(site.served.server, '/comet/')).toThrow(/such as '\/comet'/)
  })
})
