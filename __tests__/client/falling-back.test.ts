import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { CometChannelOptions } from '../../client/index.ts'
import {
  connectStream,
  expectNoRequest,
  message,
  openStreamingPage,
  type Page,
  restartServer,
  TabStorage,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'
import { fire, useTab } from './tab.ts'

useServer()
useTab()

const REAL_NOW = Date.now
const CONNECTED = ['state:connecting', 'state:connected']

afterEach(() => {
  Date.now = REAL_NOW
})

/** Puts the clock on the wall forward. */
function passMinutes(minutes: number): void {
  const before = Date.now
  Date.now = () => before() + minutes * 60_000
}

/** What a request asks for. */
function asked({ headers }: Received): unknown[] {
  return [headers.accept, headers.prefer, headers['last-event-id'], headers['comet-probe']]
}

const POLL = 'application/json'
const STREAM = 'text/event-stream'

/** A page whose first stream was refused, so that it polls: with its poll held. */
async function openPolling(options: CometChannelOptions = {}): Promise<Page & { poll: Received }> {
  const page = openStreamingPage(TOKEN, options)
  page.channel.subscribe()
  ;(await theServer().next()).error(406, 'COMET_NOT_ACCEPTABLE')
  ;(await theServer().next()).timeout('e1:10')
  return { ...page, poll: await theServer().next() }
}

/** The request that is a probe, and the one that is not, of the two that come next. */
async function nextBeside(): Promise<{ probe: Received; poll: Received }> {
  const both = [await theServer().next(), await theServer().next()]
  const probe = both.find(({ headers }) => headers['comet-probe'] === '1')!
  const poll = both.find((each) => each !== probe)!
  expect([probe.headers.accept, poll.headers.accept]).toEqual([STREAM, POLL])
  return { probe, poll }
}

describe('a page falls back to long polling', () => {
  test.each<[string, (stream: Received) => void]>([
    ['406: the server has streams switched off', (stream) => stream.error(406, 'COMET_NOT_ACCEPTABLE')],
    [
      'a page of a proxy',
      (stream) => stream.answer(200, { 'Content-Type': 'text/html' }, '<h1>Welcome</h1>'),
    ],
    ['an answer to a poll', (stream) => stream.timeout('e1:10')],
  ])('after %s, of which nobody is told', async (_what, answer) => {
    const page = openStreamingPage()
    page.channel.subscribe()
    answer(await theServer().next())
    const first = await theServer().next()
    expect(asked(first)).toEqual([POLL, 'wait=0', undefined, undefined])
    expect(first.headers['comet-page']).toMatch(/;new$/)
    first.messages('e1:11', [message(11)])
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=25', 'e1:11', undefined])
    expect(page.seen).toEqual([...CONNECTED, 'message:11'])
    expect(page.channel.transport).toBe('long-polling')
  })

  test.each([
    ['has no body', async (answer: Response) => new Response(await answer.blob(), answer)],
    [
      'has a body that cannot be read from',
      (answer: Response) => Object.defineProperty(answer, 'body', { value: null }),
    ],
  ])('with a fetch whose answer to a stream %s', async (what, change) => {
    const page = openStreamingPage(TOKEN, {
      fetch: async (url, init) => {
        const answer = await fetch(url, init)
        const isStream = answer.headers.get('Content-Type')!.startsWith(STREAM)
        return isStream && what.startsWith('has a body') ? change(answer) : answer
      },
    })
    page.channel.subscribe()
    const stream = await theServer().next()
    if (what.startsWith('has a body')) stream.stream()
    else stream.answer(200, { 'Content-Type': 'text/plain' }, '')
    ;(await theServer().next()).timeout('e1:10')
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=25', 'e1:10', undefined])
    expect(page.channel.transport).toBe('long-polling')
  })

  test.each<[string, (stream: Received) => void]>([
    ['no head', () => {}],
    ['a head, and then nothing', (stream) => stream.streamHead()],
    ['a head, and padding', (stream) => [stream.streamHead(), stream.write(`:${' '.repeat(2048)}\n`)]],
  ])('after 3 s in which %s came, though a poll is answered', async (_what, begin) => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await theServer().next()
    begin(stream)
    const poll = await theServer().next()
    await stream.closed()
    expect(asked(poll)).toEqual([POLL, 'wait=0', undefined, undefined])
    expect(page.channel.state).toBe('connecting')
    poll.timeout('e1:10')
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=25', 'e1:10', undefined])
    expect(page.seen).toEqual(CONNECTED)
  })

  test('after 3 s without a first block also if the stream before it was good: connected all the while', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    ;(await connectStream()).rotate()
    const stream = await theServer().next()
    const poll = await theServer().next()
    await stream.closed()
    expect(asked(poll)).toEqual([POLL, 'wait=0', 'e1:10', undefined])
    poll.timeout('e1:10')
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=25', 'e1:10', undefined])
    expect(page.seen).toEqual(CONNECTED)
  })

  test.each<[string, (stream: Received, page: Page, times: number) => unknown]>([
    [
      'within 10 s',
      (stream, page, times) => {
        stream.stream()
        return page.until('state:connected', times)
      },
    ],
    [
      'before the first block',
      (stream) => {
        stream.streamHead()
        stream.write(': padding\n')
        return expectNoRequest()
      },
    ],
  ])('after three streams in a row that were cut %s', async (_what, begin) => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    for (const times of [1, 2, 3]) {
      const stream = await theServer().next()
      expect(stream.headers.accept).toBe(STREAM)
      await begin(stream, page, times)
      stream.drop()
    }
    const poll = await theServer().next()
    expect(asked(poll)).toEqual([POLL, 'wait=0', undefined, undefined])
    poll.timeout('e1:10')
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=25', 'e1:10', undefined])
  })

  test('after a silence of twice what the server promised, though a poll is answered', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream('e1:10', 0.1)
    const poll = await theServer().next()
    await stream.closed()
    expect(asked(poll)).toEqual([POLL, 'wait=0', 'e1:10', undefined])
    expect(page.seen.slice(2)).toEqual(['slow', 'state:reconnecting', 'failure:COMET_NO_ANSWER:true'])
    poll.timeout('e1:10')
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=25', 'e1:10', undefined])
  })
})

describe('a page does not fall back', () => {
  test('when the server restarts', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    await connectStream()
    const server = await restartServer(() => page.until('failure:COMET_CONNECTION_FAILED:true', 3))
    const stream = await server.next()
    expect(asked(stream)).toEqual([STREAM, undefined, 'e1:10', undefined])
    stream.stream()
    await page.until('state:connected', 2)
    stream.drop()
    expect((await server.next()).headers.accept).toBe(STREAM)
  })

  test('when its server is gone without a word, after streams have been seen to come through', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    for (const times of [1, 2]) {
      const stream = await connectStream(`e1:${times * 10}`, 0.1)
      stream.keepAlive(`e1:${times * 10 + 1}`)
      await page.until('failure:COMET_NO_ANSWER:true', times)
      expect(page.channel.transport).toBe('streaming')
    }
    const stream = await connectStream('e1:30', 0.1)
    stream.keepAlive('e1:31')
    await page.until('failure:COMET_NO_ANSWER:true', 3)
    // Three in a row are no restarts.
    expect(page.channel.transport).toBe('long-polling')
  })

  test('when no poll is answered either: the server is down', async () => {
    withoutJitter()
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await theServer().next()
    const poll = await theServer().next()
    await stream.closed()
    expect(poll.headers.accept).toBe(POLL)
    poll.drop()
    expect((await theServer().next()).headers.accept).toBe(STREAM)
    expect(page.seen.at(-1)).toBe('failure:COMET_CONNECTION_FAILED:true')
  })

  test('when the server is slow: the next stream has twice as long as the poll took', async () => {
    let offsetMs = 0
    jest.spyOn(performance, 'now').mockImplementation(() => Date.now() + offsetMs)
    openStreamingPage().channel.subscribe()
    const stream = await theServer().next()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    const poll = await theServer().next()
    await stream.closed()
    offsetMs = 5000
    poll.timeout('e1:10')
    const next = await theServer().next()
    expect(next.headers.accept).toBe(STREAM)
    const limits = timers.mock.calls.map(([, ms]) => ms!).filter((ms) => ms >= 10_000 && ms < 20_000)
    expect(limits).toHaveLength(1)
  })

  test('when one stream after another ends on purpose, soon or not', async () => {
    openStreamingPage().channel.subscribe()
    for (let times = 0; times < 4; times += 1) (await connectStream()).rotate()
    expect((await theServer().next()).headers.accept).toBe(STREAM)
  })

  test('when it may not poll', async () => {
    withoutJitter()
    const page = openStreamingPage(TOKEN, { transports: ['streaming'] })
    page.channel.subscribe()
    ;(await theServer().next()).answer(200, { 'Content-Type': 'text/html' }, '')
    for (let times = 0; times < 3; times += 1) (await connectStream()).drop()
    expect((await theServer().next()).headers.accept).toBe(STREAM)
    expect(page.failures[0]).toMatchObject({ code: 'COMET_ANSWER_IS_INVALID', status: 200 })
  })
})

describe('a page that has fallen back', () => {
  test('does so over a reload, too', async () => {
    const storage = new TabStorage()
    await openPolling({ storage })
    fire('pagehide')
    const { channel } = openStreamingPage(TOKEN, { storage })
    channel.subscribe()
    expect(asked(await theServer().next())).toEqual([POLL, 'wait=0', 'e1:10', undefined])
    expect(channel.transport).toBe('long-polling')
  })

  test('makes no probe for 5 minutes', async () => {
    const { poll } = await openPolling()
    passMinutes(4.9)
    poll.timeout('e1:10')
    await theServer().next()
    await expectNoRequest()
  })

  test('then tries beside its poll, and goes over without loss and without a message twice', async () => {
    const page = await openPolling()
    passMinutes(5)
    page.poll.messages('e1:11', [message(11)])
    const { probe, poll } = await nextBeside()
    expect(poll.headers.prefer).toBe('wait=25')
    expect(probe.headers['comet-page']).not.toContain('new')
    probe.stream()
    const stream = await theServer().next()
    expect(asked(stream)).toEqual([STREAM, undefined, 'e1:11', undefined])
    await Promise.all([probe.closed(), poll.closed()])
    stream.stream()
    stream.push('e1', message(11), message(12))
    await page.until('message:12')
    expect(page.seen).toEqual([...CONNECTED, 'message:11', 'message:12'])
    expect(page.channel.transport).toBe('streaming')
    await expectNoRequest()
  })

  test('goes on with its polls while the probe is under way', async () => {
    const page = await openPolling()
    passMinutes(5)
    page.poll.timeout('e1:10')
    let { probe, poll } = await nextBeside()
    for (const mid of [11, 12]) {
      poll.messages(`e1:${mid}`, [message(mid)])
      poll = await theServer().next()
      expect(asked(poll)).toEqual([POLL, 'wait=25', `e1:${mid}`, undefined])
    }
    expect(probe.isOpen).toBe(true)
    probe.stream()
    expect((await theServer().next()).headers.accept).toBe(STREAM)
    expect(page.seen).toEqual([...CONNECTED, 'timeout', 'message:11', 'message:12'])
  })

  test.each<[string, (probe: Received) => void]>([
    ['is cut', (probe) => probe.drop()],
    ['is refused', (probe) => probe.error(406, 'COMET_NOT_ACCEPTABLE')],
    ['has no first block in time', (probe) => probe.streamHead()],
  ])('whose probe %s tries again after twice the time, and tells nobody', async (_what, fail) => {
    const page = await openPolling()
    passMinutes(5)
    page.poll.timeout('e1:10')
    let { probe, poll } = await nextBeside()
    fail(probe)
    await probe.closed()
    // The page notes the failure in its next turns.
    await expectNoRequest()
    passMinutes(9.9)
    poll.timeout('e1:10')
    poll = await theServer().next()
    await expectNoRequest()
    passMinutes(0.1)
    poll.timeout('e1:10')
    ;({ probe, poll } = await nextBeside())
    expect(page.seen.filter((each) => each !== 'timeout')).toEqual(CONNECTED)
  })

  test('whose probe a server refuses that closes or is full tries again beside the next poll', async () => {
    const page = await openPolling()
    passMinutes(5)
    page.poll.timeout('e1:10')
    const { probe, poll } = await nextBeside()
    probe.error(503, 'COMET_CHANNEL_IS_CLOSED', { 'Retry-After': '1' })
    await probe.closed()
    await expectNoRequest()
    poll.timeout('e1:10')
    await nextBeside()
    expect(page.seen.filter((each) => each !== 'timeout')).toEqual(CONNECTED)
  })

  test('tries sooner when there is a network again', async () => {
    await openPolling()
    fire('online')
    const first = await theServer().next()
    expect(asked(first)).toEqual([POLL, 'wait=0', 'e1:10', undefined])
    first.timeout('e1:10')
    await nextBeside()
  })

  test.each<[string, (page: Page) => void]>([
    ['unsubscribe()', ({ channel }) => channel.unsubscribe()],
    ['the way into the back/forward cache', () => fire('pagehide', true)],
  ])('ends its probe at %s', async (_what, end) => {
    const page = await openPolling()
    passMinutes(5)
    page.poll.timeout('e1:10')
    const { probe, poll } = await nextBeside()
    end(page)
    await poll.closed()
    await expectNoRequest()
    expect(probe.isOpen).toBe(false)
  })
})
