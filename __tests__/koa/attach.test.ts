import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, connect as openSession } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { CometOptions } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { type RawAnswer, RawConnection, rawExchange } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { glance, poll } from '../support/page.ts'
import { listen } from '../support/serve.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

/** Servers of the same app, to which nothing is attached. */
const besides: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const each of besides.splice(0)) await each.close()
  await closeSites()
})

async function listenBeside({ served }: Site): Promise<{ readonly port: number }> {
  const beside = await listen(served.app.callback())
  besides.push(beside)
  return beside
}

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

/** Without the time of day, and what is random so that pages do not come back together: nor lengths, which have it. */
function momentless(received: string): string {
  return received
    .replace(/Date: .*/g, '')
    .replace(/"date":"[^"]*"/g, '')
    .replace(/retry: \d+/g, '')
    .replace(/^[0-9a-f]+\r$/gm, '')
}

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
    const mounted = await listenBeside(site)
    const { privateToken } = await site.newClient()
    const { cursor } = await glance(site.url, privateToken)
    await site.channel.sendMessage('M', 'ä')
    const sent = lines.replace('token', privateToken).replace('cursor', cursor!)
    expect(await answerOf(site.port, sent)).toEqual(await answerOf(mounted.port, sent))
  })

  /** What a held request may be told, and what of it comes last; else the end of its connection. */
  const tidings: Readonly<Record<string, readonly [tell: (site: Site) => Promise<unknown>, last?: string]>> =
    {
      'a message': [({ channel }) => channel.sendMessage('M', 'ä'), '"n":"M"'],
      'the end of its client': [
        ({ channel }) => channel.stopClient({ except: [] }),
        'COMET_CLIENT_IS_STOPPED',
      ],
      'the end of the channel': [({ channel }) => channel.close({ overSeconds: 0 })],
    }
  const cases = ['application/json', 'text/event-stream'].flatMap((accept) =>
    Object.entries(tidings).map(([name, [tell, last]]) => ({ accept, name, tell, last })),
  )

  test.each(cases)('to a held $accept: $name', async ({ accept, tell, last }) => {
    const { site } = await openAttached()
    await site.channel.open()
    const mounted = await listenBeside(site)
    const from = site.channel.cursor()
    const connections: RawConnection[] = []
    for (const port of [site.port, mounted.port]) {
      const { privateToken } = await site.newClient({ from })
      const connection = await RawConnection.open(port)
      const lines = `Host: x\r\nAccept: ${accept}\r\nComet-Token: ${privateToken}`
      connection.send(`GET /comet HTTP/1.1\r\n${lines}\r\n\r\n`)
      connections.push(connection)
    }
    await site.holds(2)
    if (accept === 'text/event-stream')
      await eventually(() => connections.every(({ received }) => received.includes('opened')))
    await tell(site)
    await eventually(() =>
      connections.every(({ received, isClosed }) => (last ? received.includes(last) : isClosed)),
    )
    const [attached, byKoa] = connections.map(({ received }) => momentless(received))
    expect(attached).toBe(byKoa)
    for (const connection of connections) await connection.close()
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
    // It has let go of the server.
    expect(seen).toEqual(['GET /comet'])
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

  test('it ends with what attach() gave, and with the channel: its server is as before', async () => {
    const { site, seen } = await openAttached()
    const { server } = site.served
    const [attached] = server.listeners('request')
    const detach = site.channel.attach(server, '/other')
    detach()
    detach()
    expect(server.listeners('request')).toEqual([attached])
    await site.channel.close({ overSeconds: 0 })
    expect(server.listenerCount('request')).toBe(1)
    expect(server.listeners('request')).not.toContain(attached)
    expect((await poll(site.url, 'p'.repeat(43))).status).toBe(503)
    expect(seen).toEqual(['GET /comet'])
  })

  test('what was added after attach() stays behind what was there before it, when it ends', async () => {
    const site = await openSite()
    const { server } = site.served
    const before = server.listeners('request')
    const later = (): void => {}
    const detach = site.channel.attach(server)
    server.on('request', later)
    detach()
    expect(server.listeners('request')).toEqual([...before, later])
  })

  test('below another channel that is attached still, one that is detached passes all on', async () => {
    const { site, seen } = await openAttached()
    const other = await openSite()
    const detach = site.channel.attach(site.served.server, '/late')
    other.channel.attach(site.served.server, '/other')
    detach()
    const late = 'GET /late HTTP/1.1\r\nHost: x\r\nComet-Token: t\r\n\r\n'
    expect((await rawExchange(site.port, late)).status).toBe(404)
    expect(seen).toEqual(['GET /late'])
    expect((await poll(`${site.served.origin}/other`, 'p'.repeat(43))).status).toBe(401)
    expect(seen).toEqual(['GET /late'])
  })

  test.each(['identify', 'authorize'] as const)(
    'not with the option %s, which needs what middleware made',
    async (name) => {
      const site = await openSite({ options: { [name]: () => null } })
      expect(() => site.channel.attach(site.served.server)).toThrow(TypeError)
      expect(() => site.channel.attach(site.served.server)).toThrow(`The option ${name} is given`)
    },
  )

  test('not to a server without an app, nor at what is no path', async () => {
    const site = await openSite()
    expect(() => site.channel.attach(createServer())).toThrow(/give it the server of one/)
    expect(() => site.channel.attach(undefined as never)).toThrow(/give it the server of one/)
    expect(() => site.channel.attach(site.served.server, '/comet/')).toThrow(/such as '\/comet'/)
  })
})

describe('A response that others have begun', () => {
  /** Adds a listener in front of the attached one. */
  function inFront(site: Site, listener: RequestListener): void {
    site.served.server.prependListener('request', listener)
  }

  test('before the channel came to it stays theirs, whether its client is known or not', async () => {
    const { site, seen } = await openAttached({ origins: ['https://app.example'] })
    inFront(site, (_, res) => void res.writeHead(429).end('too much'))
    const { privateToken } = await site.newClient()
    for (const token of [privateToken, 'unknown']) {
      const lines = `Host: x\r\nOrigin: https://app.example\r\nComet-Token: ${token}\r\nPrefer: wait=0`
      const { status } = await rawExchange(site.port, `GET /comet HTTP/1.1\r\n${lines}\r\n\r\n`)
      expect(status).toBe(429)
    }
    // As without the channel: the app finds a response that has ended.
    expect(seen).toHaveLength(2)
  })

  test.each([
    ['ended', (res: ServerResponse) => void res.writeHead(408).end('too late')],
    ['begun', (res: ServerResponse) => void res.writeHead(408).write('too la')],
  ])('while the store is slow is left or cut, and all others are served: %s', async (_, spoil) => {
    const provider = new GatedProvider(new InProcCometStateProvider())
    const site = await openSite({ provider })
    site.channel.attach(site.served.server)
    const { privateToken } = await site.newClient()
    const answer = provider.hangNext('getClient')
    let spoiled: ServerResponse | undefined
    inFront(site, (req, res) => {
      if (req.headers['x-spoil'] !== undefined) spoiled = res
    })
    const connection = await RawConnection.open(site.port)
    connection.send(
      `GET /comet HTTP/1.1\r\nHost: x\r\nX-Spoil: 1\r\nComet-Token: ${privateToken}\r\nPrefer: wait=0\r\n\r\n`,
    )
    await eventually(() => spoiled !== undefined)
    spoil(spoiled!)
    answer()
    await eventually(() => spoiled!.writableEnded || spoiled!.destroyed)
    expect((await glance(site.url, privateToken)).status).toBe(200)
    expect(site.errors).toEqual([])
    await connection.close()
  })
})
