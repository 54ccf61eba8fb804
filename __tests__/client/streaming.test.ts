import { getEventListeners } from 'node:events'
import { describe, expect, jest, test } from '@jest/globals'
import type { WireMessage } from '../../client/index.ts'
import {
  connectStream,
  expectNoRequest,
  fixRandom,
  message,
  openStreamingPage,
  TabStorage,
  TOKEN,
  theServer,
  untilCursor,
  useServer,
  withoutJitter,
} from './harness.ts'

useServer()

const CONNECTED = ['state:connecting', 'state:connected']

describe('a page that streams', () => {
  test('asks for a stream first, without a poll before, and takes the client over', async () => {
    const { channel } = openStreamingPage()
    expect(channel.transport).toBe('streaming')
    channel.subscribe()
    const { method, url, headers } = await theServer().next()
    expect([method, url]).toEqual(['GET', '/comet'])
    expect(headers.accept).toBe('text/event-stream')
    expect(headers.authorization).toBe(`Bearer ${TOKEN}`)
    expect(headers['comet-page']).toMatch(/^[\w-]{22,};new$/)
    for (const name of ['prefer', 'last-event-id', 'comet-probe']) expect(headers).not.toHaveProperty(name)
  })

  test('streams by default', async () => {
    openStreamingPage(TOKEN, { transports: undefined }).channel.subscribe()
    expect((await theServer().next()).headers.accept).toBe('text/event-stream')
  })

  test('is connected by the first block, not by the head or by padding', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await theServer().next()
    stream.streamHead()
    stream.write(`:${' '.repeat(2048)}\n\n`)
    await expectNoRequest()
    expect(page.seen).toEqual(['state:connecting'])
    stream.tell('aspNetComet.opened', { date: '', keepAliveSeconds: 15 })
    await page.until('state:connected')
    expect(page.channel.transport).toBe('streaming')
  })

  test('hands out messages as they come, each once, in order, and asks for no more', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.push('e1', message(9), message(11), message(11))
    await page.until('message:11')
    stream.push('e1', message(12), message(11), message(13))
    await page.until('message:13')
    expect(page.seen).toEqual([...CONNECTED, 'message:11', 'message:12', 'message:13'])
    expect(page.messages).toEqual([message(11), message(12), message(13)])
    expect(page.channel.cursor).toBe('e1:13')
    await expectNoRequest()
    expect(theServer().open).toEqual([stream])
  })

  test('moves its cursor by keep-alives, of which nobody is told', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.keepAlive('e1:40')
    stream.rotate()
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:40')
    expect(page.seen).toEqual(CONNECTED)
  })

  test('leaves no listener behind for each of its messages', async () => {
    const listen = jest.spyOn(EventTarget.prototype, 'addEventListener')
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    for (let mid = 11; mid < 61; mid += 1) {
      stream.push('e1', message(mid))
      await page.until(`message:${mid}`)
    }
    const signals = listen.mock.contexts.filter((each): each is AbortSignal => each instanceof AbortSignal)
    expect(signals.length).toBeGreaterThan(50)
    const left = [...new Set(signals)].map((each) => getEventListeners(each, 'abort').length)
    expect(Math.max(...left)).toBeLessThan(10)
  })

  test('keeps for a reload what it has dealt with, also if no reload is announced: after a crash', async () => {
    const storage = new TabStorage()
    const page = openStreamingPage(TOKEN, { storage })
    page.channel.subscribe()
    const stream = await connectStream()
    stream.push('e1', message(11))
    await page.until('message:11')
    await expectNoRequest()
    const { channel } = openStreamingPage(TOKEN, { storage: storage.copy() })
    channel.subscribe()
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:11')
  })

  test('no longer takes over once it is connected', async () => {
    openStreamingPage().channel.subscribe()
    ;(await connectStream()).rotate()
    expect((await theServer().next()).headers['comet-page']).not.toContain('new')
  })

  test('ignores control messages that it does not know', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.tell('aspNetComet.future', {})
    stream.push('e1', message(11))
    await page.until('message:11')
    expect(page.seen).toEqual([...CONNECTED, 'message:11'])
  })

  test('that unsubscribes ends the stream at once, and is handed out nothing more', async () => {
    const page = openStreamingPage()
    page.channel.on('News', () => page.channel.unsubscribe())
    page.channel.subscribe()
    const stream = await connectStream()
    stream.push('e1', message(11), message(12))
    await stream.closed()
    await expectNoRequest()
    expect(page.messages).toEqual([message(11)])
    page.channel.subscribe()
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:11')
  })
})

describe('a reset in a stream', () => {
  const RESET = { reason: 'epoch', epoch: 'e2', messageId: 3 }
  const resetTo = (mid: number) => ({ mid, n: 'aspNetComet.reset', c: RESET })

  test('is told before what follows it, and lower ids of the new life of the log are not taken for seen', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream('e1:500')
    stream.push('e2', resetTo(3), message(4), message(5))
    await page.until('message:5')
    expect(page.seen).toEqual([...CONNECTED, 'reset:epoch', 'message:4', 'message:5'])
    expect(page.channel.cursor).toBe('e2:5')
  })

  test('that comes at once with messages of the life before it loses none of either, and repeats none', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream('e1:500')
    const block = (epoch: string, each: WireMessage) =>
      `id: ${epoch}:${each.mid}\ndata: ${JSON.stringify(each)}\n\n`
    const blocks = [block('e1', message(500)), block('e1', message(501)), block('e2', resetTo(3))]
    stream.write(`${blocks.join('')}${block('e2', message(4))}`)
    await page.until('message:4')
    expect(page.seen).toEqual([...CONNECTED, 'message:501', 'reset:epoch', 'message:4'])
  })

  test('is not taken back by what bears no id', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream('e1:500')
    stream.push('e2', resetTo(3))
    await page.until('reset:epoch')
    stream.tell('aspNetComet.future')
    await expectNoRequest()
    stream.rotate()
    expect((await theServer().next()).headers['last-event-id']).toBe('e2:3')
  })

  test('is not jumped over if the stream is cut right before it', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    ;(await connectStream('e1:10')).rotate()
    const cut = await theServer().next()
    cut.stream({ 'Comet-Cursor': 'e1:20', 'Comet-Outcome': 'reset' })
    cut.end()
    const next = await theServer().next()
    expect(next.headers['last-event-id']).toBe('e1:10')
  })
})

describe('the end of a stream', () => {
  test('on purpose is told nobody, and the next begins after the time that the server says', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    stream.rotate(123)
    const next = await theServer().next()
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(123)
    next.stream()
    next.push('e1', message(11))
    await page.until('message:11')
    expect(page.seen).toEqual([...CONNECTED, 'message:11'])
  })

  test('on purpose, a thousand times, costs nobody a message, and leaves no listener and no timer behind', async () => {
    const warnings = jest.spyOn(process, 'emitWarning')
    const page = openStreamingPage()
    page.channel.subscribe()
    const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
    let stream = await connectStream('e1:0')
    await page.until('state:connected')
    const before = timers()
    for (let mid = 1; mid <= 1000; mid += 1) {
      stream.push('e1', message(mid))
      stream.rotate()
      stream = await theServer().next()
      expect(stream.headers['last-event-id']).toBe(`e1:${mid}`)
      stream.stream()
    }
    stream.push('e1', message(1001))
    await page.until('message:1001')
    expect(page.messages.map(({ mid }) => mid)).toEqual(
      Array.from({ length: 1001 }, (_each, index) => index + 1),
    )
    expect(page.seen.filter((each) => !each.startsWith('message'))).toEqual(CONNECTED)
    // Node keeps some of its own for connections.
    expect(timers()).toBeLessThan(before + 10)
    expect(warnings).not.toHaveBeenCalled()
  }, 60_000)

  test.each<[string, (stream: Awaited<ReturnType<typeof connectStream>>) => void]>([
    ['is cut', (stream) => stream.drop()],
    ['ends without the word that it does', (stream) => stream.end()],
  ])('that %s is a failure, and the next stream goes on behind what came', async (_what, fail) => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.push('e1', message(11))
    await page.until('message:11')
    stream.write('id: e1:12\ndata: {"mid":12,"n":"Ne')
    fail(stream)
    const next = await theServer().next()
    expect(next.headers.accept).toBe('text/event-stream')
    expect(next.headers['last-event-id']).toBe('e1:11')
    next.stream()
    next.push('e1', message(12))
    await page.until('message:12')
    expect(page.seen).toEqual([
      ...CONNECTED,
      'message:11',
      'state:reconnecting',
      'failure:COMET_CONNECTION_FAILED:true',
      'state:connected',
      'message:12',
    ])
  })

  test.each([
    ['no JSON', 'data: {"mid":11\n\n'],
    ['no message', 'data: 5\n\n'],
  ])('is brought about by a block that is %s: nothing of it is handed out', async (_what, block) => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    ;(await connectStream()).write(block)
    const next = await theServer().next()
    expect(next.headers['last-event-id']).toBe('e1:10')
    expect(page.failures).toMatchObject([{ code: 'COMET_CONNECTION_FAILED', willRetry: true }])
  })

  test('is brought about by a block that grows beyond all measure', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.write(`data: ${'x'.repeat(9 * 1024 * 1024)}`)
    await stream.closed()
    await page.until('failure:COMET_ANSWER_IS_INVALID:true')
  })

  test('in which it is replaced stops the page, after what came before', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.push('e1', message(11))
    stream.tell('aspNetComet.replaced')
    stream.end()
    await page.until('failure:COMET_REPLACED:false')
    expect(page.seen.slice(2)).toEqual(['message:11', 'state:disconnected', 'failure:COMET_REPLACED:false'])
    await expectNoRequest()
    page.channel.subscribe()
    expect((await theServer().next()).headers['comet-page']).toMatch(/;new$/)
  })

  test('in which its own newer request replaces it is told nobody: something repeats requests', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream()
    stream.tell('aspNetComet.replaced', 'own')
    stream.rotate()
    ;(await theServer().next()).stream()
    await expectNoRequest()
    expect(page.seen).toEqual(CONNECTED)
  })

  test('by 204, before it begins, means that another page has replaced it', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    ;(await connectStream()).rotate()
    ;(await theServer().next()).answer(204, {}, '')
    await page.until('failure:COMET_REPLACED:false')
    expect(page.channel.state).toBe('disconnected')
    await expectNoRequest()
  })
})

describe('an error in a stream', () => {
  test('makes the page ask at once, and what that says counts', async () => {
    const page = openStreamingPage(null)
    page.channel.subscribe()
    ;(await theServer().next()).registered()
    const stream = await connectStream()
    stream.push('e1', message(11))
    await page.until('message:11')
    stream.tell('aspNetComet.error', 'The client was removed.')
    stream.end()
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e1:12' })
    const next = await connectStream('e1:12')
    expect(next.headers.authorization).toBe('Bearer private-token-number-two')
    await page.until('reset:forgotten')
    expect(page.seen.slice(3)).toEqual(['state:reconnecting', 'state:connected', 'reset:forgotten'])
  })

  test('that will pass is waited for as long as the server says', async () => {
    openStreamingPage().channel.subscribe()
    const stream = await connectStream()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    stream.tell('aspNetComet.error', 'The store is away.')
    stream.rotate(77)
    await theServer().next()
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(77)
  })

  test('that comes again and again makes the page ask ever less often', async () => {
    fixRandom(0.01)
    const page = openStreamingPage()
    page.channel.subscribe()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    for (let times = 0; times < 9; times += 1) {
      const stream = await theServer().next()
      stream.stream()
      stream.tell('aspNetComet.error', 'no')
      stream.end()
    }
    await theServer().next()
    const pauses = timers.mock.calls.map(([, ms]) => ms).filter((ms) => ms! < 1000)
    expect(pauses.map((ms) => Math.round(ms!))).toEqual([10, 20, 40, 80])
    expect(page.seen).toEqual(CONNECTED)
  })
})

describe('an answer that is no stream', () => {
  test('but an error of the server, is a failure like any, and Retry-After is waited for', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    const first = await theServer().next()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    first.error(503, 'COMET_CHANNEL_IS_CLOSED', { 'Retry-After': '1' })
    const next = await theServer().next()
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(1000)
    expect(next.headers.accept).toBe('text/event-stream')
    expect(page.seen.at(-1)).toBe('failure:COMET_CHANNEL_IS_CLOSED:true')
  })

  test('but an error that no retry mends, stops the page', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    ;(await theServer().next()).error(403, 'COMET_CLIENT_IS_STOPPED')
    await page.until('failure:COMET_CLIENT_IS_STOPPED:false')
    await expectNoRequest()
  })
})

describe('the pause between streams that fail', () => {
  test('grows until a stream brings more than its beginning', async () => {
    fixRandom(0.01)
    const timers = jest.spyOn(globalThis, 'setTimeout')
    const pauses = () => timers.mock.calls.map(([, ms]) => Math.round(ms!)).filter((ms) => ms < 1000)
    const page = openStreamingPage(TOKEN, { transports: ['streaming'] })
    page.channel.subscribe()
    for (let times = 0; times < 3; times += 1) {
      const stream = await theServer().next()
      stream.stream()
      stream.drop()
    }
    const stream = await theServer().next()
    stream.stream()
    await page.until('state:connected', 1)
    stream.keepAlive('e1:10')
    await untilCursor(page.channel, 'e1:10')
    stream.drop()
    await theServer().next()
    expect(pauses().slice(0, 3)).toEqual([10, 20, 40])
    expect(pauses().at(-1)).toBe(10)
  })
})
