import { describe, expect, jest, test } from '@jest/globals'
import {
  connect,
  expectNoRequest,
  fixRandom,
  message,
  openPage,
  restartServer,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'

useServer()

describe('what a poll says', () => {
  test('the first poll of a page takes the client over, asks to be answered at once, and has no cursor', async () => {
    openPage(TOKEN).channel.subscribe()
    const { method, url, headers } = await theServer().next()
    expect([method, url]).toEqual(['GET', '/comet'])
    expect(headers.authorization).toBe(`Bearer ${TOKEN}`)
    expect(headers.accept).toBe('application/json')
    expect(headers.prefer).toBe('wait=0')
    expect(headers['comet-page']).toMatch(/^[\w-]{22,};new$/)
    expect(headers).not.toHaveProperty('last-event-id')
    expect(headers).not.toHaveProperty('comet-token')
  })

  test('once connected, polls ask to be held, bear the page without taking over, and the cursor of the last answer', async () => {
    openPage(TOKEN).channel.subscribe()
    const first = await theServer().next()
    first.timeout('e1:10')
    const second = await theServer().next()
    expect(second.headers.prefer).toBe('wait=25')
    expect(`${second.headers['comet-page']};new`).toBe(first.headers['comet-page'])
    expect(second.headers['last-event-id']).toBe('e1:10')
    second.timeout('e1:17')
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:17')
  })

  test.each([
    [40, 'wait=40'],
    [2.1, 'wait=3'],
    [0.2, 'wait=1'],
    [86_400, 'wait=86400'],
  ])(
    'with connectionTimeoutSeconds %d, held polls say Prefer: %s: a server that would hold longer does not',
    async (connectionTimeoutSeconds, prefer) => {
      openPage(TOKEN, { connectionTimeoutSeconds }).channel.subscribe()
      expect((await connect()).headers.prefer).toBe(prefer)
    },
  )

  test('every page has an id of its own', async () => {
    openPage(TOKEN).channel.subscribe()
    openPage(TOKEN).channel.subscribe()
    const ids = [await theServer().next(), await theServer().next()].map(
      ({ headers }) => headers['comet-page'],
    )
    expect(new Set(ids).size).toBe(2)
  })

  test('headers of the app are sent along, asked for anew each time', async () => {
    let calls = 0
    const headers = async () => ({ 'X-Csrf': `number ${++calls}` })
    openPage(TOKEN, { headers }).channel.subscribe()
    const first = await theServer().next()
    expect(first.headers['x-csrf']).toBe('number 1')
    first.timeout('e1:10')
    expect((await theServer().next()).headers['x-csrf']).toBe('number 2')
  })

  test('where the app uses Authorization itself, the token travels as Comet-Token', async () => {
    openPage(TOKEN, { headers: () => ({ authorization: 'Basic abc' }) }).channel.subscribe()
    const { headers } = await theServer().next()
    expect(headers.authorization).toBe('Basic abc')
    expect(headers['comet-token']).toBe(TOKEN)
  })

  test('the fetch of the options is used, unbound, without cache and with the credentials asked for', async () => {
    const calls: { init: RequestInit; self: unknown }[] = []
    const options = {
      credentials: 'include' as const,
      fetch(this: unknown, url: RequestInfo | URL, init: RequestInit = {}) {
        calls.push({ init, self: this })
        return globalThis.fetch(url, init)
      },
    }
    openPage(TOKEN, options).channel.subscribe()
    await theServer().next()
    expect(calls[0]!.init).toMatchObject({ cache: 'no-store', credentials: 'include' })
    expect(calls[0]!.self).toBeUndefined()
  })

  test('the credentials are same-origin unless said otherwise', async () => {
    const fetch = jest.fn(globalThis.fetch)
    openPage(TOKEN, { fetch }).channel.subscribe()
    await theServer().next()
    expect(fetch.mock.calls[0]![1]).toMatchObject({ credentials: 'same-origin' })
  })
})

describe('what an answer brings', () => {
  test('messages reach the handlers in order, with token and alias', async () => {
    const { channel, seen } = openPage(TOKEN)
    const got: unknown[] = []
    channel.addSuccessHandler((...details) => got.push(details))
    channel.subscribe()
    const poll = await connect()
    poll.messages('e1:13', [message(11), message(12), message(13)])
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:13')
    expect(seen.filter((each) => each.startsWith('message'))).toEqual([
      'message:11',
      'message:12',
      'message:13',
    ])
    expect(got[0]).toEqual([TOKEN, 'default', message(11)])
    expect(channel.cursor).toBe('e1:13')
  })

  test('a message that was seen before is dropped, within an answer and between answers', async () => {
    const { channel, messages } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.messages('e1:12', [message(9), message(11), message(11), message(12)])
    const again = await theServer().next()
    again.messages('e1:13', [message(11), message(12), message(13)])
    await theServer().next()
    expect(messages.map(({ mid }) => mid)).toEqual([11, 12, 13])
  })

  test('a timeout is told to timeout handlers, and the next poll follows at once', async () => {
    const { channel, seen } = openPage(TOKEN)
    const told: unknown[] = []
    channel.addTimeoutHandler((...details) => told.push(details))
    channel.subscribe()
    const poll = await connect()
    expect(seen).not.toContain('timeout')
    poll.timeout('e1:10')
    await theServer().next()
    expect(told).toEqual([[TOKEN, 'default']])
  })

  test('a reset is told before what follows it, and lower ids of the new life of the log are not taken for seen', async () => {
    const { channel, seen } = openPage(TOKEN)
    const details: unknown[] = []
    channel.addEventListener('reset', ({ detail }) => details.push(detail))
    channel.subscribe()
    const poll = await connect('e1:500')
    const reset = { reason: 'epoch', epoch: 'e2', messageId: 3 }
    poll.messages('e2:5', [{ mid: 3, n: 'aspNetComet.reset', c: reset }, message(4), message(5)])
    expect((await theServer().next()).headers['last-event-id']).toBe('e2:5')
    expect(details).toEqual([reset])
    expect(seen.slice(-3)).toEqual(['reset:epoch', 'message:4', 'message:5'])
  })

  test('a reset to a lower position of the same life of the log is followed', async () => {
    const { channel, messages } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect('e1:500')
    const reset = { reason: 'epoch', epoch: 'e1', messageId: 20 }
    poll.messages('e1:21', [{ mid: 20, n: 'aspNetComet.reset', c: reset }, message(21)])
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:21')
    expect(messages.map(({ mid }) => mid)).toEqual([21])
  })

  test('control messages that this version does not know are ignored', async () => {
    const { channel, seen } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.messages('e1:12', [{ mid: 11, n: 'aspNetComet.future', c: {} }, message(12)])
    await theServer().next()
    expect(seen).toEqual(['state:connecting', 'state:connected', 'message:12'])
  })

  test('a page that was replaced is told so and stops', async () => {
    const { channel, until } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: null }])
    await until('failure:COMET_REPLACED:false')
    expect(channel.state).toBe('disconnected')
    await expectNoRequest()
  })

  test('a page that was replaced by its own newer request asks anew: something repeats requests', async () => {
    const { channel, seen } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: 'own' }])
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:10')
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('a page that was replaced takes its client back when it subscribes again', async () => {
    const { channel, until } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: null }])
    await until('failure:COMET_REPLACED:false')
    channel.subscribe()
    expect((await theServer().next()).headers['comet-page']).toMatch(/;new$/)
  })

  test('a server that closes is left alone for the time it asks for, while the page stays connected', async () => {
    fixRandom(0)
    const { channel, seen } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    poll.timeout('e1:10', { 'Retry-After': '1' })
    const next = await theServer().next()
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(1000)
    expect(next.headers.prefer).toBe('wait=25')
    expect(seen.filter((each) => each.startsWith('state'))).toEqual(['state:connecting', 'state:connected'])
  })
})

describe('what fails and is tried again', () => {
  const transient: [string, string, (poll: Awaited<ReturnType<typeof connect>>) => void][] = [
    ['a dropped connection', 'COMET_CONNECTION_FAILED', (poll) => poll.drop()],
    [
      'broken JSON',
      'COMET_ANSWER_IS_INVALID',
      (poll) =>
        poll.answer(
          200,
          { 'Content-Type': 'application/json', 'Comet-Cursor': 'e1:12' },
          '[{"mid":11,"n":"News","c":1},',
        ),
    ],
    [
      'JSON that is no array',
      'COMET_ANSWER_IS_INVALID',
      (poll) => poll.json({ hello: 'world' }, { 'Comet-Cursor': 'e1:12' }),
    ],
    ['an answer without a cursor', 'COMET_ANSWER_IS_INVALID', (poll) => poll.json([message(11)])],
    [
      'a captive portal',
      'COMET_ANSWER_IS_INVALID',
      (poll) => poll.answer(200, { 'Content-Type': 'text/html', 'Comet-Cursor': 'e1:12' }, '[]'),
    ],
    ['no content', 'COMET_ANSWER_IS_INVALID', (poll) => poll.answer(204, {}, '')],
    [
      "a proxy's 502",
      'COMET_ANSWER_IS_INVALID',
      (poll) => poll.answer(502, { 'Content-Type': 'text/html' }, '<h1>Bad Gateway</h1>'),
    ],
    [
      "another's 404",
      'COMET_ANSWER_IS_INVALID',
      (poll) => poll.answer(404, { 'Content-Type': 'text/plain' }, 'Not Found'),
    ],
    ["another's 403 in JSON", 'COMET_ANSWER_IS_INVALID', (poll) => poll.json({ error: 'no' }, {}, 403)],
    ['our 429', 'COMET_TOO_MANY_REQUESTS', (poll) => poll.error(429, 'COMET_TOO_MANY_REQUESTS')],
    ['our 503', 'COMET_PROVIDER_IS_UNAVAILABLE', (poll) => poll.error(503, 'COMET_PROVIDER_IS_UNAVAILABLE')],
    ['our 500', 'COMET_INTERNAL_ERROR', (poll) => poll.error(500, 'COMET_INTERNAL_ERROR')],
  ]

  test.each(transient)('%s: told, then asked again with the same cursor', async (_what, code, fail) => {
    withoutJitter()
    const { channel, seen, failures, messages } = openPage(TOKEN)
    const errors: unknown[] = []
    channel.addEventListener('error', ({ detail }) => errors.push(detail))
    channel.subscribe()
    fail(await connect())
    const again = await theServer().next()
    expect(again.headers['last-event-id']).toBe('e1:10')
    expect(again.headers.prefer).toBe('wait=0')
    expect(seen.slice(-2)).toEqual(['state:reconnecting', `failure:${code}:true`])
    expect(errors).toEqual(failures)
    expect(messages).toEqual([])
    again.messages('e1:11', [message(11)])
    const held = await theServer().next()
    expect(held.headers.prefer).toBe('wait=25')
    expect(messages.map(({ mid }) => mid)).toEqual([11])
    expect(channel.state).toBe('connected')
  })

  test('an answer that was cut delivers nothing of what had come', async () => {
    withoutJitter()
    const { channel, messages } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.cut({ 'Comet-Cursor': 'e1:12' }, JSON.stringify([message(11), message(12)]).slice(0, -1))
    const again = await theServer().next()
    expect(again.headers['last-event-id']).toBe('e1:10')
    expect(messages).toEqual([])
  })

  test('an error has the status, the text and the code of the server', async () => {
    const { channel, failures, until } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.error(503, 'COMET_QUEUE_IS_FULL', { 'Retry-After': '2' })
    await until('failure:COMET_QUEUE_IS_FULL:true')
    const [error] = failures
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'CometError',
      code: 'COMET_QUEUE_IS_FULL',
      status: 503,
      message: 'The server says COMET_QUEUE_IS_FULL',
      retryAfterSeconds: 2,
    })
  })

  test('Retry-After is waited for', async () => {
    withoutJitter()
    openPage(TOKEN).channel.subscribe()
    const poll = await connect()
    const timers = jest.spyOn(globalThis, 'setTimeout')
    poll.error(503, 'COMET_CHANNEL_IS_CLOSED', { 'Retry-After': '1' })
    await theServer().next()
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(1000)
  })

  test('headers() that throw are a failed attempt', async () => {
    withoutJitter()
    let calls = 0
    const headers = () => {
      calls += 1
      if (calls === 1) throw new Error('not logged in yet')
      return {}
    }
    const { channel, failures } = openPage(TOKEN, { headers })
    channel.subscribe()
    await theServer().next()
    expect(failures[0]).toMatchObject({ willRetry: true, cause: new Error('not logged in yet') })
  })

  test.each([
    ['polls', async () => {}],
    ['the headers of the app', async () => ({ headers: () => new Promise<HeadersInit>(() => {}) })],
    ['a fetch that ignores its signal', async () => ({ fetch: () => new Promise<Response>(() => {}) })],
  ])(
    '%s that never answer are given up 10 s after the server should have, and retried',
    async (_what, options) => {
      jest.useFakeTimers({
        advanceTimers: true,
        doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'],
      })
      try {
        withoutJitter()
        const { channel, until, seen } = openPage(TOKEN, {
          connectionTimeoutSeconds: 25,
          ...(await options()),
        })
        channel.subscribe()
        if (theServer().received.length === 0 && _what === 'polls') await theServer().next()
        await jest.advanceTimersByTimeAsync(34_900)
        expect(seen).toEqual(['state:connecting'])
        await jest.advanceTimersByTimeAsync(200)
        await until('failure:COMET_NO_ANSWER:true')
        if (_what === 'polls') await theServer().next()
      } finally {
        jest.useRealTimers()
      }
    },
  )

  test('a server that is down for a while is found again', async () => {
    withoutJitter()
    const { channel, seen, until } = openPage(TOKEN)
    channel.subscribe()
    await connect()
    const server = await restartServer(() => until('failure:COMET_CONNECTION_FAILED:true', 3))
    const poll = await server.next()
    expect(poll.headers['last-event-id']).toBe('e1:10')
    poll.timeout('e1:10')
    await until('state:connected', 2)
    expect(seen.filter((each) => each.startsWith('state'))).toEqual([
      'state:connecting',
      'state:connected',
      'state:reconnecting',
      'state:connected',
    ])
  })
})

describe('what fails for good', () => {
  test.each([
    [400, 'COMET_PARAMETERS_ARE_INVALID'],
    [401, 'COMET_TOKEN_IS_MISSING'],
    [403, 'COMET_ORIGIN_IS_REFUSED'],
    [403, 'COMET_CLIENT_IS_STOPPED'],
    [401, 'COMET_TOKEN_IS_UNKNOWN'],
    [401, 'COMET_IDENTITY_IS_LOST'],
    [403, 'COMET_IDENTITY_HAS_CHANGED'],
  ])('%i %s, to a token that is a given string: told, and no further request', async (status, code) => {
    const { channel, seen, until } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    poll.error(status, code)
    await until(`failure:${code}:false`)
    expect(seen.slice(-2)).toEqual(['state:disconnected', `failure:${code}:false`])
    await expectNoRequest()
    expect(theServer().open).toEqual([])
  })
})

describe('the pause between attempts', () => {
  test('grows with each failure in a row, and begins anew only after a held poll was answered', async () => {
    fixRandom(0.01)
    const timers = jest.spyOn(globalThis, 'setTimeout')
    const pauses = () => timers.mock.calls.map(([, ms]) => Math.round(ms!)).filter((ms) => ms < 1000)
    openPage(TOKEN).channel.subscribe()
    ;(await connect()).drop()
    ;(await theServer().next()).drop()
    ;(await theServer().next()).timeout('e1:10')
    // A server that answers at once but holds nothing is no reason to come back faster.
    ;(await theServer().next()).drop()
    const probe = await theServer().next()
    expect(pauses()).toEqual([10, 20, 40])
    probe.timeout('e1:10')
    ;(await theServer().next()).timeout('e1:10')
    ;(await theServer().next()).drop()
    await theServer().next()
    expect(pauses()).toEqual([10, 20, 40, 10])
  })

  test('begins anew with subscribe()', async () => {
    fixRandom(0.01)
    const timers = jest.spyOn(globalThis, 'setTimeout')
    const pauses = () => timers.mock.calls.map(([, ms]) => Math.round(ms!)).filter((ms) => ms < 1000)
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).drop()
    ;(await theServer().next()).drop()
    await theServer().next()
    expect(pauses()).toEqual([10, 20])
    channel.unsubscribe()
    channel.subscribe()
    ;(await theServer().next()).drop()
    await theServer().next()
    expect(pauses()).toEqual([10, 20, 10])
  })
})

describe('the pause of a page whose server comes back from an outage, and has forgotten it', () => {
  test('begins anew, and grows with each further token that is refused, whatever fails between', async () => {
    fixRandom(0.01)
    const timers = jest.spyOn(globalThis, 'setTimeout')
    openPage(null).channel.subscribe()
    ;(await theServer().next()).registered()
    for (let times = 0; times < 3; times += 1) (await theServer().next()).drop()
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered()
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).drop()
    ;(await theServer().next()).registered()
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await theServer().next()
    const pauses = timers.mock.calls.map(([, ms]) => Math.round(ms!)).filter((ms) => ms < 1000)
    expect(pauses).toEqual([10, 20, 40, 10, 20, 10, 40])
  })

  test('begins anew too if it had been held before, and registers at once', async () => {
    fixRandom(0.01)
    const timers = jest.spyOn(globalThis, 'setTimeout')
    openPage(null).channel.subscribe()
    ;(await theServer().next()).registered()
    ;(await connect()).timeout('e1:10')
    for (let times = 0; times < 3; times += 1) (await theServer().next()).drop()
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).drop()
    await theServer().next()
    const pauses = timers.mock.calls.map(([, ms]) => Math.round(ms!)).filter((ms) => ms < 1000)
    expect(pauses).toEqual([10, 20, 40, 10])
  })
})

describe('something between page and server that cuts what is held', () => {
  /** Makes a held poll seem to have been held so long. */
  function letPass(): (seconds: number) => void {
    let offsetMs = 0
    jest.spyOn(performance, 'now').mockImplementation(() => Date.now() + offsetMs)
    return (seconds) => {
      offsetMs += seconds * 1000
    }
  }

  test('after two cuts of held polls in a row, after about the same time, the server is asked to hold for four fifths of it', async () => {
    withoutJitter()
    const pass = letPass()
    openPage(TOKEN).channel.subscribe()
    let held = await connect()
    for (const seconds of [33, 31]) {
      expect(held.headers.prefer).toBe('wait=25')
      pass(seconds)
      held.answer(504, { 'Content-Type': 'text/html' }, 'Gateway Timeout')
      held = await connect()
    }
    expect(held.headers.prefer).toBe('wait=24')
    held.timeout('e1:10')
    expect((await theServer().next()).headers.prefer).toBe('wait=24')
  })

  test('polls that the page itself has ended were not cut', async () => {
    const pass = letPass()
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    for (const seconds of [20, 20]) {
      await connect()
      pass(seconds)
      channel.unsubscribe()
      channel.subscribe()
    }
    expect((await connect()).headers.prefer).toBe('wait=25')
  })

  test('two cuts with an answer between them change nothing, nor do errors of the server itself', async () => {
    withoutJitter()
    const pass = letPass()
    openPage(TOKEN).channel.subscribe()
    let held = await connect()
    pass(60)
    held.drop()
    held = await connect()
    held.timeout('e1:10')
    held = await theServer().next()
    pass(60)
    held.drop()
    held = await connect()
    pass(60)
    held.error(503, 'COMET_PROVIDER_IS_UNAVAILABLE')
    held = await connect()
    expect(held.headers.prefer).toBe('wait=25')
  })
})
