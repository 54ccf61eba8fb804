import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { CometChannel, type CometChannelOptions, type TransportName } from '../../client/index.ts'
import { got, show, theLocks, useLocks } from './browser-locks.ts'
import {
  expectNoRequest,
  fixRandom,
  message,
  openPage,
  type Page,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import { type Received, ScriptedServer } from './scripted-server.ts'
import { fire, useTab } from './tab.ts'

useServer()
useTab()
useLocks()

const TRANSPORTS: TransportName[] = ['streaming', 'long-polling']
const CONNECTED = ['state:connecting', 'state:connected']
const CROWDED_MS = 5000

afterEach(() => {
  show(true)
})

interface Asking extends Page {
  /** What it asks for first. */
  readonly request: Received
}

async function open(transport: TransportName, options: CometChannelOptions = {}): Promise<Asking> {
  const page = openPage(TOKEN, { transports: [transport], ...options })
  page.channel.subscribe()
  return { ...page, request: await theServer().next() }
}

/** Opens a page, and returns the request that it then has held. */
async function hold(transport: TransportName, options?: CometChannelOptions): Promise<Asking> {
  const page = await open(transport, options)
  if (transport === 'streaming') {
    expect(page.request.headers.prefer).toBeUndefined()
    page.request.stream()
    page.request.keepAlive('e1:10')
    await page.until('state:connected')
    return page
  }
  page.request.timeout('e1:10')
  const request = await theServer().next()
  expect(request.headers.prefer).toBe('wait=25')
  return { ...page, request }
}

async function holdFour(transport: TransportName): Promise<Asking[]> {
  const all: Asking[] = []
  for (let held = 0; held < 4; held += 1) all.push(await hold(transport))
  return all
}

/** Answers a request that is not held. */
function answer({ request }: Pick<Asking, 'request'>, ...mids: number[]): void {
  expect(request.headers.prefer).toBe('wait=0')
  const cursor = `e1:${mids.at(-1) ?? 10}`
  const messages = mids.map((mid) => message(mid))
  if (request.headers.accept === 'application/json') {
    if (mids.length > 0) request.messages(cursor, messages)
    else request.timeout(cursor)
  } else {
    request.stream()
    request.push('e1', ...messages)
    request.keepAlive(cursor)
    request.rotate(300)
  }
}

/** Ends the pause of the page that pauses next. */
function endPause(): () => Promise<void> {
  const timers = jest.spyOn(globalThis, 'setTimeout')
  return async () => {
    const last = () => timers.mock.calls.findLast(([, ms]) => ms === CROWDED_MS)
    while (!last()) await new Promise((resolve) => setImmediate(resolve))
    const [call] = last()!
    timers.mockClear()
    ;(call as () => void)()
  }
}

describe.each(TRANSPORTS)('of the pages that a browser has open, by %s,', (transport) => {
  test('four have a request held; one more asks every 5 s for what there is, and misses nothing', async () => {
    await holdFour(transport)
    const next = endPause()
    const fifth = await open(transport)
    answer(fifth, 11)
    for (const mid of [12, 13, 14, 15, 16, 17, 18]) {
      // There may be more where that came from.
      const second = await theServer().next()
      expect(second.headers['last-event-id']).toBe(`e1:${mid - 1}`)
      answer({ request: second })
      await expectNoRequest()
      await next()
      const request = await theServer().next()
      answer({ request }, mid)
    }
    await fifth.until('message:18')
    const mids = fifth.messages.map(({ mid }) => mid)
    expect(mids).toEqual([11, 12, 13, 14, 15, 16, 17, 18])
    expect(fifth.seen).toEqual([...CONNECTED, ...mids.map((mid) => `message:${mid}`)])
    expect(fifth.channel.transport).toBe(transport)
    expect(theServer().open).toHaveLength(4)
  })

  test('what failed now and then does not add up to longer pauses of the one that is never held', async () => {
    fixRandom(0.01)
    await holdFour(transport)
    const timers = jest.spyOn(globalThis, 'setTimeout')
    const fifth = await open(transport)
    let { request } = fifth
    for (let times = 0; times < 3; times += 1) {
      request.drop()
      request = await theServer().next()
      answer({ request }, 11 + times)
      request = await theServer().next()
    }
    const pauses = timers.mock.calls.map(([, ms]) => ms!).filter((ms) => ms < 100)
    expect(pauses).toEqual([10, 10, 10].map((ms) => expect.closeTo(ms)))
  })

  test.each<[string, (page: Asking) => unknown]>([
    ['unsubscribes', ({ channel }) => channel.unsubscribe()],
    ['leaves', ({ channel }) => channel.leave()],
    ['is stopped', ({ request }) => request.drop()],
  ])('when one of the four %s, the next has its request held', async (what, end) => {
    withoutJitter()
    const [first] = await holdFour(transport)
    const next = endPause()
    const fifth = await open(transport)
    answer(fifth)
    await fifth.until('state:connected')
    if (what === 'is stopped') first!.channel.addFailureHandler(() => first!.channel.unsubscribe())
    end(first!)
    await first!.until('state:disconnected')
    await first!.request.closed()
    if (what === 'leaves') (await theServer().next()).answer(204, {}, '')
    await next()
    expect((await theServer().next()).headers.prefer).not.toBe('wait=0')
    expect(fifth.seen).toEqual(CONNECTED)
  })

  test('one that is seen takes the place of one that is not, of which nobody is told', async () => {
    show(false)
    const [first, ...others] = await holdFour(transport)
    theLocks().whenStolen = () => show(false)
    show(true)
    const seen = openPage(TOKEN, { transports: [transport] })
    seen.channel.subscribe()
    await first!.request.closed()
    const requests = [await theServer().next(), await theServer().next()]
    // It asks anew, and finds all places taken.
    const request = requests.find(({ headers }) => headers['last-event-id'] === 'e1:10')!
    answer({ request }, 11)
    await first!.until('message:11')
    expect(first!.seen).toEqual([...CONNECTED, 'message:11'])
    for (const each of others) expect(each.request.isOpen).toBe(true)
  })

  test('those that are seen never take the place of each other', async () => {
    const four = await holdFour(transport)
    answer(await open(transport))
    await expectNoRequest()
    for (const { request } of four) expect(request.isOpen).toBe(true)
    expect(theServer().open).toHaveLength(4)
  })

  test.each<[string, () => void]>([
    ['that is frozen', () => fire('freeze')],
    ['that is kept while another is shown', () => fire('pagehide', true)],
    ['that is closed', () => fire('pagehide')],
  ])('one %s gives its place back', async (_what, end) => {
    const { request } = await hold(transport)
    expect(theLocks().held).not.toEqual([])
    end()
    await request.closed()
    await expectNoRequest()
    expect(theLocks().held).toEqual([])
  })
})

describe('a page', () => {
  test('that is seen takes a place that is free before it takes one away', async () => {
    show(false)
    const hidden = await hold('streaming')
    show(true)
    await hold('streaming')
    await expectNoRequest()
    expect(hidden.request.isOpen).toBe(true)
  })

  test('of which five come to be seen is left over in the end, and leaves the others alone', async () => {
    show(false)
    const [first] = await holdFour('streaming')
    show(true)
    const seen = openPage(TOKEN, { transports: ['streaming'] })
    seen.channel.subscribe()
    await first!.request.closed()
    // Each that has lost its place takes the next, until the last finds none.
    const asked: Received[] = []
    while (asked.filter(({ headers }) => headers.prefer === 'wait=0').length === 0) {
      asked.push(await theServer().next())
    }
    await expectNoRequest()
    expect(theServer().open).toHaveLength(5)
  })

  test('has a place while its request is held, and none while it pauses', async () => {
    const page = await hold('long-polling')
    const server = new URL('/', theServer().url).href
    expect(theLocks().held).toEqual([`koa-comet 0 ${server}`, `koa-comet 0 ${server} seen`])
    page.request.error(503, 'COMET_QUEUE_IS_FULL', { 'Retry-After': '3600' })
    await page.until('failure:COMET_QUEUE_IS_FULL:true')
    await expectNoRequest()
    expect(theLocks().held).toEqual([])
  })

  test('whose request another server holds takes no place of this one', async () => {
    const other = await ScriptedServer.open()
    const stop = new AbortController()
    try {
      for (let pages = 0; pages < 5; pages += 1) {
        new CometChannel(other.url, TOKEN, `${pages}`, { signal: stop.signal, storage: null }).subscribe()
        expect((await other.next()).headers.prefer).toBe(pages < 4 ? undefined : 'wait=0')
      }
      await holdFour('streaming')
    } finally {
      stop.abort()
      await other.close()
    }
  })

  test.each([
    ['h2', 'HTTP/2'],
    ['h3', 'HTTP/3'],
  ])('takes no place, and needs none, when its server answers by %s', async (nextHopProtocol) => {
    got({ name: new URL('/script.js', theServer().url).href, nextHopProtocol })
    for (let pages = 0; pages < 6; pages += 1) await hold('streaming')
    expect(theLocks().held).toEqual([])
    expect(theServer().open).toHaveLength(6)
  })

  test.each([
    ['another server by HTTP/2', 'http://other.example/', 'h2'],
    ['its own by HTTP/1.1', '', 'http/1.1'],
    ['its own without saying how', '', ''],
  ])('takes a place when it has got something from %s', async (_what, name, nextHopProtocol) => {
    got({ name: name || theServer().url, nextHopProtocol })
    await hold('streaming')
    expect(theLocks().held).toHaveLength(2)
  })

  test.each<[string, () => void]>([
    ['may have no locks', () => Object.assign(theLocks(), { isForbidden: true })],
    ['has no locks', () => Object.assign(navigator, { locks: undefined })],
    ['has locks, and no document', () => Object.assign(globalThis, { document: undefined })],
  ])('that %s goes on without', async (_what, forbid) => {
    forbid()
    for (let pages = 0; pages < 6; pages += 1) await hold('streaming')
    expect(theServer().open).toHaveLength(6)
  })

  test('that is stopped while it looks for a place asks for nothing, and keeps none', async () => {
    const page = openPage(TOKEN, { transports: ['streaming'] })
    page.channel.subscribe()
    await Promise.resolve()
    page.channel.unsubscribe()
    await expectNoRequest()
    expect(theLocks().held).toEqual([])
  })
})
