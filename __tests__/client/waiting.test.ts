import { describe, expect, jest, test } from '@jest/globals'
import type { CometChannelOptions, WireMessage } from '../../client/index.ts'
import {
  connect,
  expectNoRequest,
  message,
  openSilentPage,
  type Page,
  restartServer,
  TabStorage,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'
import { fire, firstRequestIn, useTab } from './tab.ts'

useServer()
useTab()

/** Such a client polls again after 50 ms. */
const SOON = { connectionIdleSeconds: 0.2 }
/** And such a one after 20 s: not before the test is over. */
const LATE = { connectionIdleSeconds: 90 }
const BOTH: readonly WireMessage[] = [message(11), message(12)]

/** Registers a page, and returns the poll that it has held. */
async function register({ channel }: Page, idle = SOON): Promise<Received> {
  channel.subscribe()
  ;(await theServer().next()).registered(idle)
  return connect()
}

/** A page that got messages 11 and 12, and to which nobody listens. */
async function openUnheard(idle = SOON, options: CometChannelOptions = {}): Promise<Page> {
  const page = openSilentPage(null, options)
  ;(await register(page, idle)).messages('e1:12', BOTH)
  return page
}

/** A page that got messages 11 and 12, and whose loop is busy with 11. */
async function openBusy(options: CometChannelOptions = {}) {
  const page = openSilentPage(null, options)
  const loop = page.channel[Symbol.asyncIterator]()
  const first = loop.next()
  ;(await register(page)).messages('e1:12', BOTH)
  await first
  return { ...page, loop }
}

function listen({ channel, add }: Page): void {
  channel.addSuccessHandler((_token, _alias, { mid }) => add(`message:${mid}`))
}

/** What a poll says of where it reads on, and how long it may be held. */
function asked({ headers }: Received): unknown[] {
  return [headers['last-event-id'], headers.prefer]
}

/** Answers polls that are not to be held with what comes after their cursor; returns the first that is. */
async function untilHeld(messages: readonly WireMessage[]): Promise<Received> {
  for (;;) {
    const poll = await theServer().next()
    if (poll.headers.prefer !== 'wait=0') return poll
    const [epoch, after] = `${poll.headers['last-event-id']}`.split(':')
    const rest = messages.filter(({ mid }) => mid > Number(after))
    poll.messages(`${epoch}:${messages.at(-1)!.mid}`, rest)
  }
}

describe('a page whose messages nobody listens to', () => {
  test('polls on: for the same, to be answered at once, and is connected all the while', async () => {
    const page = await openUnheard()
    for (let polls = 0; polls < 3; polls += 1) {
      const poll = await theServer().next()
      expect(asked(poll)).toEqual(['e1:10', 'wait=0'])
      expect(poll.headers['comet-page']).not.toContain('new')
      poll.messages('e1:12', BOTH)
    }
    await theServer().next()
    expect(page.seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('hands them out when somebody listens, and then lets its polls be held again', async () => {
    const page = await openUnheard()
    ;(await theServer().next()).messages('e1:12', BOTH)
    listen(page)
    expect(asked(await untilHeld(BOTH))).toEqual(['e1:12', 'wait=25'])
    expect(page.seen.slice(2)).toEqual(['message:11', 'message:12'])
  })

  test('hands out nothing while it polls: the answer may say reset', async () => {
    const page = await openUnheard()
    const poll = await theServer().next()
    listen(page)
    await expectNoRequest()
    const reset = { reason: 'epoch', epoch: 'e2', messageId: 3 }
    poll.messages('e2:4', [{ mid: 3, n: 'aspNetComet.reset', c: reset }, message(4)])
    expect(asked(await theServer().next())).toEqual(['e2:4', 'wait=25'])
    expect(page.seen.slice(2)).toEqual(['reset:epoch', 'message:4'])
  })

  test('does so too when its only handler has taken itself away', async () => {
    const page = openSilentPage(null)
    const off = page.channel.on('News', (_contents, { mid }) => {
      page.add(`message:${mid}`)
      off()
    })
    ;(await register(page)).messages('e1:12', BOTH)
    const poll = await theServer().next()
    expect(asked(poll)).toEqual(['e1:11', 'wait=0'])
    poll.messages('e1:12', [message(12)])
    expect(asked(await theServer().next())).toEqual(['e1:11', 'wait=0'])
    expect(page.seen.slice(2)).toEqual(['message:11'])
  })

  test('is told a reset once, although what follows it waits', async () => {
    const page = await openUnheard()
    const reset = { reason: 'trimmed', epoch: 'e1', messageId: 11 }
    const answer = [{ mid: 11, n: 'aspNetComet.reset', c: reset }, message(12)]
    ;(await theServer().next()).messages('e1:12', answer)
    const poll = await theServer().next()
    expect(asked(poll)).toEqual(['e1:11', 'wait=0'])
    poll.messages('e1:12', [message(12)])
    listen(page)
    expect(asked(await untilHeld(BOTH))).toEqual(['e1:12', 'wait=25'])
    expect(page.seen.slice(2)).toEqual(['reset:trimmed', 'message:12'])
  })

  test('notices that the server is gone, and that it is back', async () => {
    withoutJitter()
    const page = await openUnheard()
    await theServer().next()
    const server = await restartServer(() => page.until('failure:COMET_CONNECTION_FAILED:true'))
    expect(page.channel.state).toBe('reconnecting')
    ;(await server.next()).messages('e1:12', BOTH)
    await page.until('state:connected', 2)
    expect(asked(await server.next())).toEqual(['e1:10', 'wait=0'])
  })

  test('is told that another page has taken its client over, and stops', async () => {
    const page = await openUnheard()
    ;(await theServer().next()).messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: null }])
    await page.until('failure:COMET_REPLACED:false')
    await expectNoRequest()
  })

  test('is told that the server has forgotten its client, and goes on as a new one', async () => {
    const page = openSilentPage(null)
    ;(await register(page)).timeout('e1:10')
    ;(await theServer().next()).messages('e1:12', BOTH)
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    const next = { ...SOON, privateToken: 'private-token-number-two', cursor: 'e2:5' }
    ;(await theServer().next()).registered(next)
    ;(await theServer().next()).messages('e2:6', [message(6)])
    expect(asked(await theServer().next())).toEqual(['e2:5', 'wait=0'])
    expect(page.seen.slice(-3)).toEqual(['state:reconnecting', 'state:connected', 'reset:forgotten'])
  })

  test.each<[string, (channel: Page['channel'], abort: AbortController) => unknown]>([
    ['unsubscribe()', (channel) => channel.unsubscribe()],
    ['leave()', (channel) => channel.leave()],
    ['the abort of the signal', (_channel, abort) => abort.abort()],
    ['the end of the page', () => fire('pagehide')],
  ])('leaves no timer behind after %s, and polls no more', async (what, end) => {
    const abort = new AbortController()
    const page = openSilentPage(null, { signal: abort.signal })
    const poll = await register(page, LATE)
    const set = jest.spyOn(globalThis, 'setTimeout')
    const cleared = jest.spyOn(globalThis, 'clearTimeout')
    poll.messages('e1:12', BOTH)
    const timer = await timerOf(set, 20_000)
    end(page.channel, abort)
    if (what === 'leave()') (await theServer().next()).answer(204, {}, '')
    await expectNoRequest()
    expect(cleared.mock.calls.map(([each]) => each)).toContain(timer)
  })

  test('polls at once when it comes back out of the back/forward cache', async () => {
    await openUnheard(LATE)
    await expectNoRequest()
    fire('pagehide', true)
    fire('pageshow', true)
    const poll = await theServer().next()
    expect(asked(poll)).toEqual(['e1:10', 'wait=0'])
    await expectNoRequest()
    expect(theServer().open).toEqual([poll])
  })

  test('that is paused while it polls, and goes on, has one loop', async () => {
    const { channel } = await openUnheard()
    const poll = await theServer().next()
    channel.unsubscribe()
    channel.subscribe()
    const next = await theServer().next()
    await poll.closed()
    await expectNoRequest()
    expect(theServer().open).toEqual([next])
  })
})

describe('a page whose loop is slow', () => {
  test('polls on from the last message dealt with, and hands out none twice', async () => {
    const { channel, loop, seen } = await openBusy()
    for (let polls = 0; polls < 2; polls += 1) {
      const poll = await theServer().next()
      expect(asked(poll)).toEqual(['e1:10', 'wait=0'])
      expect(channel.cursor).toBe('e1:11')
      poll.messages('e1:12', BOTH)
    }
    const second = loop.next()
    const third = second.then(() => loop.next())
    ;(await untilHeld(BOTH)).messages('e1:13', [message(13)])
    expect([(await second).value, (await third).value]).toEqual([message(12), message(13)])
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('polls on amid many messages that take a little time each', async () => {
    const { channel, ...page } = openSilentPage(null)
    const all = Array.from({ length: 30 }, (_each, index) => message(11 + index))
    const got: number[] = []
    const loop = (async () => {
      for await (const { mid } of channel) {
        got.push(mid)
        if (mid === 40) break
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    ;(await register({ channel, ...page })).messages('e1:40', all)
    const amid = await theServer().next()
    expect(amid.headers.prefer).toBe('wait=0')
    expect(amid.headers['last-event-id']).toBe(`e1:${got.at(-1)! - 1}`)
    amid.messages('e1:40', all)
    await Promise.all([loop, untilHeld(all)])
    expect(got).toEqual(all.map(({ mid }) => mid))
  })

  test('is told of no reset at or below what it has got, nor given anything again by it', async () => {
    const { loop, channel, seen } = await openBusy()
    const answer = (mid: number) => [
      { mid, n: 'aspNetComet.reset', c: { reason: 'trimmed', epoch: 'e1', messageId: mid } },
      ...[11, 12].filter((id) => id > mid).map((id) => message(id)),
    ]
    for (const trimmedThrough of [10, 11]) {
      const poll = await theServer().next()
      expect(asked(poll)).toEqual(['e1:10', 'wait=0'])
      poll.messages('e1:12', answer(trimmedThrough))
    }
    const second = loop.next()
    while (channel.cursor === 'e1:11') (await theServer().next()).messages('e1:12', answer(11))
    expect((await second).value).toEqual(message(12))
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('is told of a reset above what it has got', async () => {
    const { loop, seen } = await openBusy()
    const reset = { reason: 'trimmed', epoch: 'e1', messageId: 12 }
    const answer = [{ mid: 12, n: 'aspNetComet.reset', c: reset }, message(13)]
    ;(await theServer().next()).messages('e1:13', answer)
    let poll = await theServer().next()
    expect(seen).not.toContain('reset:trimmed')
    const second = loop.next()
    while (poll.headers['last-event-id'] === 'e1:10') {
      poll.messages('e1:13', answer)
      poll = await theServer().next()
    }
    expect(asked(poll)).toEqual(['e1:12', 'wait=0'])
    expect((await second).value).toEqual(message(13))
    expect(seen.slice(2)).toEqual(['reset:trimmed'])
  })

  test('does not make a page after it miss what it was busy with', async () => {
    const storage = new TabStorage()
    await openBusy({ storage })
    ;(await theServer().next()).messages('e1:12', BOTH)
    await theServer().next()
    // A crash leaves the first, a reload the second.
    const crashed = storage.copy()
    fire('pagehide')
    for (const left of [crashed, storage]) {
      const { channel, request } = await firstRequestIn(left)
      expect(request.headers['last-event-id']).toBe('e1:10')
      channel.unsubscribe()
    }
  })

  test('writes down what it has dealt with, also if it never comes to the end of an answer', async () => {
    const storage = new TabStorage()
    const { loop } = await openBusy({ storage })
    await loop.next()
    const poll = await theServer().next()
    expect(poll.headers['last-event-id']).toBe('e1:11')
    // As a crash leaves it.
    const left = storage.copy()
    fire('pagehide')
    const { request } = await firstRequestIn(left)
    expect(request.headers['last-event-id']).toBe('e1:11')
  })

  test('waits for nobody to listen to what its loop, which has ended since, had been given', async () => {
    const { loop } = await openBusy()
    const poll = await theServer().next()
    await loop.return()
    poll.messages('e1:11', [message(11)])
    expect(asked(await theServer().next())).toEqual(['e1:11', 'wait=25'])
  })

  test('tells no timeout of a poll that was not to be held', async () => {
    const { loop, seen } = await openBusy()
    const second = loop.next()
    ;(await theServer().next()).timeout('e1:12')
    await second
    void loop.next()
    for (;;) {
      const poll = await theServer().next()
      if (poll.headers.prefer !== 'wait=0') break
      poll.timeout('e1:12')
    }
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })
})

describe('how long an answer may wait for its listeners', () => {
  test.each([
    [8, 2000],
    [90, 20_000],
    // No timer can wait for a quarter of it: it would fire at once.
    [31_536_000, 20_000],
  ])('is a quarter of the idle time, but at most 20 s: of %d s, %d ms', async (connectionIdleSeconds, ms) => {
    const poll = await register(openSilentPage(null), { connectionIdleSeconds })
    const set = jest.spyOn(globalThis, 'setTimeout')
    poll.messages('e1:11', [message(11)])
    await timerOf(set, ms)
  })

  test('is 5 s for a page that was not told the idle time: a second of it makes a lease of 6 s', async () => {
    const set = jest.spyOn(globalThis, 'setTimeout')
    openSilentPage(TOKEN).channel.subscribe()
    ;(await connect()).messages('e1:11', [message(11)])
    await timerOf(set, 5000)
  })

  test('does not end the poll that follows an answer which was dealt with', async () => {
    const page = openSilentPage(null)
    listen(page)
    const poll = await register(page)
    const set = jest.spyOn(globalThis, 'setTimeout')
    const cleared = jest.spyOn(globalThis, 'clearTimeout')
    poll.messages('e1:11', [message(11)])
    await theServer().next()
    expect(cleared.mock.calls.map(([each]) => each)).toContain(await timerOf(set, 50))
  })
})

/** Resolves when a timer of that length was set: with what can clear it. */
async function timerOf(set: jest.SpiedFunction<typeof setTimeout>, forMs: number): Promise<unknown> {
  for (;;) {
    const index = set.mock.calls.findIndex(([, ms]) => ms === forMs)
    if (index >= 0) return set.mock.results[index]!.value
    await new Promise((resolve) => setImmediate(resolve))
  }
}
