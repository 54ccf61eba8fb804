import { describe, expect, jest, test } from '@jest/globals'
import {
  connectStream,
  deferred,
  expectNoRequest,
  message,
  openSilentPage,
  openStreamingPage,
  type Page,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'

useServer()

const BOTH = { transports: ['streaming', 'long-polling'] } as const
/** Such a client is patient for 50 ms. */
const SOON = { connectionIdleSeconds: 0.2 }
const CONNECTED = ['state:connecting', 'state:connected']

describe('connectionslow', () => {
  test('comes once when two thirds of the time have passed, and again only after a sign of the server', async () => {
    const page = openStreamingPage()
    page.channel.subscribe()
    const stream = await connectStream('e1:10', 0.3)
    await page.until('slow')
    expect(page.channel.state).toBe('connected')
    stream.write(': anything\n')
    await page.until('slow', 2)
    expect(page.seen).toEqual([...CONNECTED, 'slow', 'slow'])
    stream.push('e1', message(11))
    await page.until('message:11')
    await page.until('slow', 3)
    await page.until('failure:COMET_NO_ANSWER:true')
    expect(page.seen.slice(2)).toEqual([
      'slow',
      'slow',
      'message:11',
      'slow',
      'state:reconnecting',
      'failure:COMET_NO_ANSWER:true',
    ])
  })

  test.each([
    [15, 20_000, 10_000],
    [3, 4000, 2000],
  ])(
    'of a server that writes every %d s comes after %d ms, and the end %d ms later',
    async (seconds, slowMs, restMs) => {
      const page = openStreamingPage()
      page.channel.subscribe()
      const timers = jest.spyOn(globalThis, 'setTimeout')
      await connectStream('e1:10', seconds)
      const [ring, ms] = timers.mock.calls.at(-1)!
      expect(ms).toBe(slowMs)
      // It rings now, and not later.
      clearTimeout(timers.mock.results.at(-1)!.value as NodeJS.Timeout)
      ;(ring as () => void)()
      expect(timers.mock.calls.at(-1)![1]).toBe(restMs)
      expect(page.seen.at(-1)).toBe('slow')
    },
  )
})

/** A fetch whose streams count how often they are read from, and give a block each time. */
function countingFetch(): { fetch: typeof globalThis.fetch; reads(): number } {
  let reads = 0
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    reads += 1
    const mid = 10 + reads
    const data = JSON.stringify(reads === 1 ? { mid: 0, n: 'aspNetComet.opened', c: {} } : message(mid))
    controller.enqueue(new TextEncoder().encode(`id: e1:${mid}\ndata: ${data}\n\n`))
  }
  const headers = { 'Content-Type': 'text/event-stream' }
  return {
    reads: () => reads,
    fetch: async () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { headers }),
  }
}

async function turns(): Promise<void> {
  for (let times = 0; times < 50; times += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('a stream to which nobody listens', () => {
  test('is read no further than the first message', async () => {
    const { fetch, reads } = countingFetch()
    const { channel } = openSilentPage(TOKEN, { ...BOTH, fetch })
    channel.subscribe()
    await turns()
    expect(reads()).toBe(2)
    const off = channel.on('News', (_contents, { mid }): unknown => mid === 15 && off())
    await turns()
    expect(reads()).toBe(6)
  })

  test('is read no further than the body of a for await has come', async () => {
    const { fetch, reads } = countingFetch()
    const { channel } = openSilentPage(TOKEN, { ...BOTH, fetch })
    const loop = channel[Symbol.asyncIterator]()
    const first = loop.next()
    channel.subscribe()
    await first
    await turns()
    const before = reads()
    expect(before).toBeLessThanOrEqual(2)
    await loop.next()
    await turns()
    expect(reads()).toBe(before + 1)
  })
})

/** A registered page that streams, whose stream has brought messages 11 and 12. */
async function openWaiting(): Promise<Page & { stream: Received }> {
  const page = openSilentPage(null, BOTH)
  page.channel.subscribe()
  ;(await theServer().next()).registered(SOON)
  const stream = await theServer().next()
  stream.stream()
  stream.push('e1', message(11), message(12))
  return { ...page, stream }
}

/** Answers polls with what comes after their cursor, until a stream is asked for. */
async function untilStream(...messages: ReturnType<typeof message>[]): Promise<Received> {
  for (;;) {
    const next = await theServer().next()
    if (next.headers.accept === 'text/event-stream') return next
    expect(next.headers.prefer).toBe('wait=0')
    const after = Number(`${next.headers['last-event-id']}`.split(':')[1])
    next.messages(
      `e1:${messages.at(-1)!.mid}`,
      messages.filter(({ mid }) => mid > after),
    )
  }
}

describe('a stream whose messages wait for too long', () => {
  test('is ended, and the page polls for them until somebody listens; then it streams on', async () => {
    const page = await openWaiting()
    const polls = [await theServer().next()]
    await page.stream.closed()
    for (let times = 0; times < 3; times += 1) {
      const poll = polls.at(-1)!
      expect([poll.headers.accept, poll.headers.prefer]).toEqual(['application/json', 'wait=0'])
      expect(poll.headers['last-event-id']).toBe('e1:10')
      poll.messages('e1:12', [message(11), message(12)])
      polls.push(await theServer().next())
    }
    expect([page.channel.transport, page.channel.state]).toEqual(['streaming', 'connected'])
    page.channel.addSuccessHandler((_token, _alias, { mid }) => page.add(`message:${mid}`))
    polls.at(-1)!.messages('e1:12', [message(11), message(12)])
    const stream = await untilStream(message(11), message(12))
    expect(stream.headers['last-event-id']).toBe('e1:12')
    stream.stream()
    stream.push('e1', message(13))
    await page.until('message:13')
    expect(page.seen).toEqual([...CONNECTED, 'message:11', 'message:12', 'message:13'])
  })

  test('goes on from the last message that the body of a for await has dealt with', async () => {
    const page = openSilentPage(null, BOTH)
    const busy = deferred()
    const got: number[] = []
    const loop = (async () => {
      for await (const { mid } of page.channel) {
        got.push(mid)
        if (mid === 12) await busy.promise
        if (mid === 14) break
      }
    })()
    page.channel.subscribe()
    ;(await theServer().next()).registered(SOON)
    const stream = await theServer().next()
    stream.stream()
    stream.push('e1', message(11), message(12), message(13))
    const poll = await theServer().next()
    expect(poll.headers['last-event-id']).toBe('e1:11')
    busy.resolve()
    poll.messages('e1:13', [message(12), message(13)])
    const next = await untilStream(message(12), message(13))
    next.stream()
    next.push('e1', message(14))
    await loop
    expect(got).toEqual([11, 12, 13, 14])
    expect(page.seen).toEqual(CONNECTED)
  })

  test('is asked for again after unsubscribe() and subscribe(), without a poll before', async () => {
    const page = openSilentPage(TOKEN, BOTH)
    page.channel.subscribe()
    const stream = await connectStream()
    stream.push('e1', message(11))
    await expectNoRequest()
    page.channel.unsubscribe()
    page.channel.subscribe()
    const next = await theServer().next()
    expect(next.headers.accept).toBe('text/event-stream')
    expect(next.headers['last-event-id']).toBe('e1:10')
  })

  test('is ended after 8 s, before the server cuts it for making no progress', async () => {
    const page = openSilentPage(null, BOTH)
    page.channel.subscribe()
    ;(await theServer().next()).registered({ connectionIdleSeconds: 90 })
    const stream = await connectStream()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    stream.push('e1', message(11))
    while (!timers.mock.calls.some(([, ms]) => ms === 8000)) await turns()
    await expectNoRequest()
  })

  test('is polled for by streams that end at once if the page may not poll', async () => {
    withoutJitter()
    const page = openSilentPage(null, { transports: ['streaming'] })
    page.channel.subscribe()
    ;(await theServer().next()).registered(SOON)
    const stream = await theServer().next()
    stream.stream()
    stream.push('e1', message(11))
    const next = await theServer().next()
    expect([next.headers.accept, next.headers.prefer]).toEqual(['text/event-stream', 'wait=0'])
    page.channel.addSuccessHandler((_token, _alias, { mid }) => page.add(`message:${mid}`))
    next.stream()
    next.push('e1', message(11))
    next.rotate()
    expect((await theServer().next()).headers).not.toHaveProperty('prefer')
    expect(page.seen.at(-1)).toBe('message:11')
  })
})

describe('something between page and server that cuts streams after a time', () => {
  test('is met by streams that end before: on purpose, so that nobody is told', async () => {
    withoutJitter()
    let offsetMs = 0
    jest.spyOn(performance, 'now').mockImplementation(() => Date.now() + offsetMs)
    const page = openStreamingPage()
    page.channel.subscribe()
    for (const seconds of [60, 61]) {
      const stream = await theServer().next()
      expect(stream.headers).not.toHaveProperty('prefer')
      stream.stream()
      await page.until('state:connected', seconds - 59)
      stream.keepAlive('e1:10')
      while (page.channel.cursor !== 'e1:10') await turns()
      await turns()
      offsetMs += seconds * 1000
      stream.drop()
    }
    const stream = await theServer().next()
    expect(stream.headers.prefer).toBe('wait=48')
    // It says nothing of polls.
    stream.error(406, 'COMET_NOT_ACCEPTABLE')
    ;(await theServer().next()).timeout('e1:10')
    expect((await theServer().next()).headers.prefer).toBe('wait=25')
  })
})
