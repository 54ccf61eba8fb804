import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { TransportName } from '../../client/index.ts'
import {
  connect,
  connectStream,
  expectNoRequest,
  message,
  openPage,
  openStreamingPage,
  type Page,
  TabStorage,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'
import { beacons, fire, type PageEvent, useTab } from './tab.ts'

useServer()
useTab()

const REAL_NOW = Date.now

afterEach(() => {
  Date.now = REAL_NOW
})

/** The machine sleeps: the clock on the wall goes on, the timers stand still. */
function sleep(seconds: number): void {
  const before = Date.now
  Date.now = () => before() + seconds * 1000
}

/** A page that is connected, and the request that it has open. */
async function open(transport: TransportName): Promise<{ page: Page; request: Received }> {
  const page = openPage(TOKEN, { transports: [transport] })
  page.channel.subscribe()
  const request = await (transport === 'streaming' ? connectStream() : connect())
  return { page, request }
}

const TRANSPORTS: TransportName[] = ['streaming', 'long-polling']

describe.each(TRANSPORTS)('a page that has slept, by %s,', (transport) => {
  test.each<[PageEvent, number]>([
    ['visibilitychange', 60],
    ['visibilitychange', 8 * 3600],
  ])('gives its request up at %s after %d s, and asks at once', async (type, seconds) => {
    // Its own clock would tell it, too.
    jest.spyOn(globalThis, 'setInterval').mockImplementation(() => undefined as never)
    const { page, request } = await open(transport)
    sleep(seconds)
    fire(type)
    const next = await theServer().next()
    expect(next.headers['last-event-id']).toBe('e1:10')
    await request.closed()
    expect(page.seen.slice(2)).toEqual(['state:reconnecting'])
    await expectNoRequest()
    expect(theServer().open).toEqual([next])
  })

  test('finds out by its own clock if nobody tells it', async () => {
    const ticks = jest.spyOn(globalThis, 'setInterval')
    const { request } = await open(transport)
    const [tick, ms] = ticks.mock.calls.at(-1)!
    expect(ms).toBeLessThanOrEqual(5000)
    ;(tick as () => void)()
    await expectNoRequest()
    sleep(60)
    ;(tick as () => void)()
    await theServer().next()
    await request.closed()
  })

  test('ends a pause that is over by then', async () => {
    const { page, request } = await open(transport)
    if (transport === 'streaming') request.rotate(3_600_000)
    else request.timeout('e1:10', { 'Retry-After': '3600' })
    await request.closed()
    if (transport === 'long-polling') await page.until('timeout')
    await expectNoRequest()
    sleep(60)
    fire('visibilitychange')
    await expectNoRequest()
    sleep(3600)
    fire('visibilitychange')
    await theServer().next()
  })
})

describe.each(TRANSPORTS)('a page that was only hidden, by %s,', (transport) => {
  test('leaves its request alone when it is seen again, or not', async () => {
    const { page, request } = await open(transport)
    sleep(10)
    for (let times = 0; times < 4; times += 1) fire('visibilitychange')
    await expectNoRequest()
    expect(request.isOpen).toBe(true)
    expect(page.seen).toEqual(['state:connecting', 'state:connected'])
  })
})

test('a stream that gives signs in time is left alone for however long the page is hidden', async () => {
  const { page, request } = await open('streaming')
  for (let mid = 11; mid < 30; mid += 1) {
    sleep(30)
    request.push('e1', message(mid))
    await page.until(`message:${mid}`)
    fire('visibilitychange')
  }
  await expectNoRequest()
  expect(request.isOpen).toBe(true)
})

test('silence that may have been the own sleep is not held against the stream', async () => {
  const page = openStreamingPage()
  page.channel.subscribe()
  const timers = jest.spyOn(globalThis, 'setTimeout')
  const stream = await connectStream()
  const slow = timers.mock.calls.find(([, ms]) => ms === 20_000)![0] as () => void
  sleep(60)
  slow()
  await expectNoRequest()
  expect(page.seen).toEqual(['state:connecting', 'state:connected'])
  expect(stream.isOpen).toBe(true)
})

describe.each(TRANSPORTS)('a page that the browser freezes, by %s,', (transport) => {
  test('ends its request, and asks again when it goes on', async () => {
    const { page, request } = await open(transport)
    fire('freeze')
    await request.closed()
    expect(page.channel.state).toBe('reconnecting')
    await expectNoRequest()
    fire('resume')
    const next = await theServer().next()
    expect(next.headers['comet-page']).toMatch(/;new$/)
    expect(next.headers['last-event-id']).toBe('e1:10')
  })

  test('asks once when it comes back out of the back/forward cache, however often it is told', async () => {
    const { request } = await open(transport)
    fire('pagehide', true)
    fire('freeze')
    await request.closed()
    fire('resume')
    const next = await theServer().next()
    fire('pageshow', true)
    await expectNoRequest()
    expect(theServer().open).toEqual([next])
  })
})

test('a page that streams and is closed says goodbye by a beacon, and ends its stream', async () => {
  const page = openStreamingPage(null, { storage: new TabStorage() })
  page.channel.subscribe()
  ;(await theServer().next()).registered()
  const stream = await connectStream()
  fire('pagehide')
  await stream.closed()
  expect(beacons).toHaveLength(1)
})

describe('a page whose browser says that it is offline', () => {
  test.each(TRANSPORTS)('tries again after 30 s, not sooner, by %s', async (transport) => {
    withoutJitter()
    const { page, request } = await open(transport)
    Object.assign(navigator, { onLine: false })
    const timers = jest.spyOn(globalThis, 'setTimeout')
    request.drop()
    await page.until('failure:COMET_CONNECTION_FAILED:true')
    await expectNoRequest()
    const [again] = timers.mock.calls.find(([, ms]) => ms === 30_000)!
    ;(again as () => void)()
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:10')
  })

  test('tries at once when it says that there is a network', async () => {
    withoutJitter()
    const { page, request } = await open('streaming')
    Object.assign(navigator, { onLine: false })
    request.drop()
    await page.until('failure:COMET_CONNECTION_FAILED:true')
    await expectNoRequest()
    Object.assign(navigator, { onLine: true })
    fire('online')
    ;(await theServer().next()).stream()
    await page.until('state:connected', 2)
  })

  test('keeps a stream that comes all the same', async () => {
    const { page, request } = await open('streaming')
    Object.assign(navigator, { onLine: false })
    request.push('e1', message(11))
    await page.until('message:11')
    expect(page.channel.state).toBe('connected')
  })

  test('waits for longer if the server says so', async () => {
    withoutJitter()
    const { page, request } = await open('long-polling')
    Object.assign(navigator, { onLine: false })
    const timers = jest.spyOn(globalThis, 'setTimeout')
    request.error(503, 'COMET_QUEUE_IS_FULL', { 'Retry-After': '3600' })
    await page.until('failure:COMET_QUEUE_IS_FULL:true')
    while (!timers.mock.calls.some(([, ms]) => ms === 3_600_000)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
})
