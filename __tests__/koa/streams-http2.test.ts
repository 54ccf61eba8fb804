import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createParser } from 'eventsource-parser'
import type { WireMessage } from '../../lib/wire.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

let site: Site
let server: Http2Server
let session: ClientHttp2Session
const warnings: string[] = []
const served: ServerHttp2Stream[] = []

beforeEach(async () => {
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)))
  site = await openSite()
  server = createServer({}, site.served.app.callback())
  server.on('stream', (stream) => served.push(stream))
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
  realTime()
  served.splice(0)
  expect(warnings.splice(0)).toEqual([])
  expect([site.errors, site.appErrors]).toEqual([[], []])
})

const PADDING = 'x'.repeat(10_000)

interface Opened {
  readonly stream: ClientHttp2Stream
  readonly headers: IncomingHttpHeaders
  readonly told: WireMessage[]
  readonly publicToken: string
}

/** Opens an event stream as one stream of the connection. */
async function open(): Promise<Opened> {
  const { publicToken, privateToken } = await site.newClient()
  const stream = session.request({
    ':path': '/comet',
    accept: 'text/event-stream',
    'comet-token': privateToken,
  })
  stream.on('error', () => {})
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  const told: WireMessage[] = []
  const parser = createParser({ onEvent: ({ data }) => told.push(JSON.parse(data) as WireMessage) })
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => parser.feed(text))
  return { stream, headers, told, publicToken }
}

const countsOf = ({ told }: Opened): unknown[] =>
  told.flatMap(({ n, c }) => (n === 'M' ? [(c as { index: number }).index] : []))

async function publish(count: number, from = 1): Promise<void> {
  for (const index of countTo(count, from)) await site.channel.sendMessage('M', { index, PADDING })
}

describe('over HTTP/2', () => {
  test('100 streams of one connection each bring every message', async () => {
    const all = await Promise.all(countTo(100).map(open))
    expect(all[0]!.headers).toMatchObject({
      ':status': 200,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'comet-outcome': 'resumed',
    })
    await publish(10)
    await eventually(() => all.every((each) => countsOf(each).length === 10))
    for (const each of all) expect(countsOf(each)).toEqual(countTo(10))
    await site.channel.close({ overSeconds: 0 })
    await eventually(() => all.every(({ stream }) => stream.closed))
    expect(all.map(({ stream }) => stream.rstCode)).toEqual(Array(100).fill(constants.NGHTTP2_NO_ERROR))
  })

  test('a stream whose reader stalls holds up no other, and goes on from where it was', async () => {
    const [stalled, ...others] = await Promise.all(countTo(10).map(open))
    stalled!.stream.pause()
    await publish(60)
    await eventually(() => others.every((each) => countsOf(each).length === 60))
    const behind = countsOf(stalled!).length
    expect(behind).toBeLessThan(60)
    // What waits for it is what its window does not take of two frames.
    expect(Math.max(...served.map(({ writableLength }) => writableLength))).toBeLessThan(70_000)
    stalled!.stream.resume()
    await eventually(() => countsOf(stalled!).length === 60)
    expect(countsOf(stalled!)).toEqual(countTo(60))
    await publish(1, 61)
    await eventually(() => countsOf(stalled!).length === 61)
  })

  test('a stream whose reader takes nothing is cut off, and its connection is not', async () => {
    fakeTime()
    const [stalled, other] = [await open(), await open()]
    stalled.stream.pause()
    await publish(60)
    await eventually(() => countsOf(other).length === 60)
    await passSeconds(12)
    await site.holds(1)
    stalled.stream.resume()
    await eventually(() => stalled.stream.closed)
    await publish(1, 61)
    await eventually(() => countsOf(other).length === 61)
    expect(countsOf(other)).toEqual(countTo(61))
    expect([session.closed, session.destroyed]).toEqual([false, false])
    const before = countsOf(stalled)
    expect(before).toEqual(countTo(before.length))
  })

  test.each(['that is quiet', 'while its reader stalls'])(
    'a stream %s that is reset is held no longer',
    async (when) => {
      const [reset, other] = [await open(), await open()]
      if (when !== 'that is quiet') {
        reset.stream.pause()
        await publish(60)
      }
      reset.stream.close(constants.NGHTTP2_CANCEL)
      await site.holds(1)
      await publish(1, 61)
      await eventually(() => countsOf(other).at(-1) === 61)
    },
  )

  test('a stream is told its end, and ended without an error', async () => {
    const [stopped, other] = [await open(), await open()]
    await site.channel.stopClient(stopped.publicToken)
    await eventually(() => stopped.stream.closed)
    expect(stopped.stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
    expect(stopped.told.at(-1)).toMatchObject({ n: 'aspNetComet.error', code: 'COMET_CLIENT_IS_STOPPED' })
    session.destroy()
    await site.holds(0)
    await eventually(() => other.stream.closed)
  })
})
