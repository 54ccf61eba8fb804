import { type EventEmitter, once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { closeSites, openSite, type Site } from '../support/site.ts'

/** A request over one HTTP/2 session. */
interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let site: Site
let server: Http2Server
let session: ClientHttp2Session
const warnings: string[] = []
/** What is open on the server's side. */
const streams = new Set<EventEmitter>()

beforeEach(async () => {
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)))
  site = await openSite({
    options: { register: () => ({}), origins: ['https://app.example'], maxHeldRequests: 3 },
  })
  server = createServer({}, site.served.app.callback())
  server.on('stream', (stream) => {
    streams.add(stream)
    stream.on('close', () => streams.delete(stream))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await once(session, 'connect')
})

afterEach(async () => {
  session.destroy()
  server.close()
  await once(server, 'close')
  await closeSites()
  jest.restoreAllMocks()
  expect(warnings.splice(0)).toEqual([])
})

async function exchange(headers: Record<string, string>, body?: string): Promise<Http2Answer> {
  const stream = session.request({ ':path': '/comet', ...headers }, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  stream.setEncoding('utf8')
  let text = ''
  for await (const part of stream) text += part
  return { status: answer[':status'], headers: answer, body: text }
}

describe('over HTTP/2', () => {
  test('a poll is held and answered by the next message, several on one connection', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => site.newClient()))
    const polls = clients.map(({ privateToken }) => exchange({ 'comet-token': privateToken }))
    await site.holds(3)
    const id = await site.channel.sendMessage('Count', 'ä')
    for (const { status, headers, body } of await Promise.all(polls)) {
      expect(status).toBe(200)
      expect(body).toBe(`[{"mid":${id},"n":"Count","c":"ä"}]`)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
        'comet-cursor': `${site.channel.stats().epoch}:${id}`,
        'comet-outcome': 'resumed',
      })
    }
  })

  test('field row 11: a page that goes away is seen, by stream or by session', async () => {
    const { privateToken } = await site.newClient()
    const stream = session.request({ ':path': '/comet', 'comet-token': privateToken })
    await site.holds(1)
    stream.close(constants.NGHTTP2_CANCEL)
    await site.holds(0)
    const other = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    other.request({ ':path': '/comet', 'comet-token': privateToken }).on('error', () => {})
    await site.holds(1)
    other.destroy()
    await site.holds(0)
    await site.channel.sendMessage('Count', 1)
    expect((await exchange({ 'comet-token': privateToken })).body).toContain('"c":1')
    expect([site.errors, site.appErrors]).toEqual([[], []])
  })

  test('the older of two polls is answered replaced', async () => {
    const { privateToken } = await site.newClient()
    const older = exchange({ 'comet-token': privateToken })
    await site.holds(1)
    const newer = exchange({ 'comet-token': privateToken })
    expect((await older).body).toContain('aspNetComet.replaced')
    await site.channel.sendMessage('Count', 1)
    expect((await newer).body).toContain('"c":1')
  })

  test('HEAD is refused with 405 and ends (koa#1547)', async () => {
    const { status, headers, body } = await exchange({ ':method': 'HEAD' })
    expect([status, headers.allow, body]).toEqual([405, 'GET, POST, OPTIONS', ''])
  })

  test('what closes a connection of HTTP/1 is said without the header that HTTP/2 does not have', async () => {
    const { privateToken } = await site.newClient()
    const json = { ':method': 'POST', 'content-type': 'application/json', 'comet-token': 'x' }
    const body = `{"x":"${'y'.repeat(5000)}"}`
    const large = await exchange({ ...json, 'content-length': String(body.length) }, body)
    expect([large.status, large.headers.connection]).toEqual([413, undefined])
    const held = exchange({ 'comet-token': privateToken })
    await site.holds(1)
    await site.channel.close()
    const closed = await held
    expect([closed.status, closed.headers.connection]).toEqual([200, undefined])
    expect(closed.headers['retry-after']).toBeDefined()
    const refused = await exchange({ 'comet-token': privateToken })
    expect([refused.status, refused.headers.connection]).toEqual([503, undefined])
  })

  test('a body without a length, which its parser would take for none, is refused and not passed over', async () => {
    const { privateToken } = await site.newClient()
    const form = { ':method': 'POST', 'content-type': 'application/x-www-form-urlencoded' }
    const { status, body } = await exchange(form, `privateToken=${privateToken}`)
    expect([status, JSON.parse(body)]).toMatchObject([400, [{ code: 'COMET_PARAMETERS_ARE_INVALID' }]])
    expect(body).toContain('Content-Length')
    expect(streams.size).toBe(0)
  })

  test('a body of a length that is told, be it 0, is taken, though its end comes behind the headers', async () => {
    const headers = { ':method': 'POST', 'content-type': 'application/json' }
    for (const body of ['', '{}']) {
      const told = { ...headers, ':path': '/comet/register', 'content-length': String(body.length) }
      expect((await exchange(told, body)).status).toBe(200)
    }
  })

  test('a body that is refused leaves no stream open, read or not', async () => {
    const body = 'y'.repeat(50_000)
    const post = { ':method': 'POST', 'content-length': String(body.length), 'comet-token': 'x' }
    const refusals = [
      await exchange({ ...post, 'content-type': 'application/json' }, body),
      await exchange({ ...post, 'content-type': 'application/json', 'content-encoding': 'gzip' }, body),
      await exchange({ ...post, 'content-type': 'text/plain' }, body),
      await exchange({ ...post, ':method': 'PUT', 'content-type': 'text/plain' }, body),
      await exchange({ ...post, ':method': 'GET', 'content-type': 'text/plain' }, body),
    ]
    expect(refusals.map(({ status }) => status)).toEqual([413, 400, 415, 405, 400])
    const closing = Promise.all([...streams].map((stream) => once(stream, 'close')))
    session.destroy()
    await closing
    expect(streams.size).toBe(0)
  })

  test('register, the AspNetComet form and goodbye work', async () => {
    const post = { ':method': 'POST', 'content-type': 'application/x-www-form-urlencoded' }
    const registered = await exchange({ ':method': 'POST', ':path': '/comet/register' })
    const { privateToken } = JSON.parse(registered.body) as { privateToken: string }
    await site.channel.sendMessage('Count', 1)
    const form = `privateToken=${privateToken}&lastMessageId=0`
    const length = { 'content-length': String(form.length) }
    expect((await exchange({ ...post, ...length }, form)).body).toContain('"c":1')
    expect((await exchange({ ...post, ...length, ':path': '/comet/goodbye' }, form)).status).toBe(204)
  })

  test('the own origin is that of :authority', async () => {
    const { privateToken } = await site.newClient()
    const glance = { ':authority': 'shop.example', 'comet-token': privateToken, prefer: 'wait=0' }
    expect((await exchange({ ...glance, origin: 'https://shop.example' })).status).toBe(200)
    expect((await exchange({ ...glance, origin: 'https://evil.example' })).status).toBe(403)
    const listed = await exchange({ ...glance, origin: 'https://app.example' })
    expect(listed.headers['access-control-allow-origin']).toBe('https://app.example')
  })

  test('client.js is served', async () => {
    const { status, headers } = await exchange({ ':path': '/comet/client.js' })
    expect([status, headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
  })
})
