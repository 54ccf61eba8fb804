import { afterEach, describe, expect, test } from '@jest/globals'
import type { CometError } from '../../client/index.ts'
import {
  connect,
  connectRegistered,
  expectNoRequest,
  fixRandom,
  nextGroups,
  nextSent,
  openPage,
  outcome,
  restartServer,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'

useServer()

const REAL_NOW = Date.now

afterEach(() => {
  Date.now = REAL_NOW
})

/** The machine sleeps: the clock on the wall goes on, the timers stand still. */
function sleep(seconds: number): void {
  const before = Date.now
  Date.now = () => before() + seconds * 1000
}

/** A page whose pauses are the shortest, with a poll held. */
async function openConnected() {
  withoutJitter()
  const page = openPage(null)
  page.channel.subscribe()
  return { ...page, poll: await connectRegistered() }
}

type Failing = (request: Received) => void

const IN_DOUBT: [string, Failing][] = [
  ['a connection that is cut', (request) => request.drop()],
  ['an answer that is cut', (request) => request.cut({}, '{"c":')],
  ['an answer that lacks the result', (request) => request.json({ d: 1 })],
  ['an answer that is no object', (request) => request.json('done')],
  ["a proxy's error page", (request) => request.answer(502, { 'Content-Type': 'text/html' }, '<p>Bad')],
  ['500 COMET_INTERNAL_ERROR', (request) => request.error(500, 'COMET_INTERNAL_ERROR')],
  ['503 COMET_SEND_IS_RUNNING', (request) => request.error(503, 'COMET_SEND_IS_RUNNING')],
]

const TOO_EARLY: [string, Failing] = ['429', (request) => request.error(429, 'COMET_TOO_MANY_SENDS')]

describe('a send is repeated with its key', () => {
  test.each([...IN_DOUBT, TOO_EARLY])('after %s', async (_what, fail) => {
    const { channel, seen } = await openConnected()
    const sent = channel.send('Say', { text: 'hello' })
    const first = await nextSent()
    fail(first.request)
    const second = await nextSent()
    expect(second.request.body).toBe(first.request.body)
    fail(second.request)
    const third = await nextSent()
    expect(third.key).toBe(first.key)
    third.request.json({ c: 'done' })
    expect(await sent).toBe('done')
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('after an app whose headers() threw', async () => {
    withoutJitter()
    let fails = false
    const page = openPage(TOKEN, {
      headers: () => {
        if (fails) throw new Error('no headers now')
        return {}
      },
    })
    page.channel.subscribe()
    await connect()
    fails = true
    const sent = page.channel.send('Say', 1)
    await expectNoRequest()
    fails = false
    ;(await nextSent()).request.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('before what was sent after it, so that drops change no order', async () => {
    const { channel } = await openConnected()
    const sent = [channel.send('Say', 1), channel.joinGroup('room'), channel.send('Say', 2)]
    ;(await nextSent()).request.drop()
    ;(await nextSent()).request.drop()
    const third = await nextSent()
    expect(third.c).toBe(1)
    third.request.json({ c: 'one' })
    ;(await nextGroups()).request.drop()
    ;(await nextGroups()).request.json({ groups: ['room'] })
    ;(await nextSent()).request.drop()
    const last = await nextSent()
    expect(last.c).toBe(2)
    last.request.json({ c: 'two' })
    expect(await Promise.all(sent)).toEqual(['one', undefined, 'two'])
  })

  test('once its server is back, without a pause: as soon as the page is connected', async () => {
    const { channel, poll, until } = await openConnected()
    const sent = channel.send('Say', 1)
    const { request, key } = await nextSent()
    // As if it had failed often: the next pause takes half a minute.
    for (let failures = 0, last = request; failures < 5; failures += 1, last = (await nextSent()).request) {
      if (failures === 4) fixRandom(1)
      last.drop()
      if (failures === 4) break
    }
    await expectNoRequest()
    fixRandom(0)
    poll.drop()
    await until('state:reconnecting')
    ;(await theServer().next()).timeout('e1:10')
    const requests = [await theServer().next(), await theServer().next()]
    const again = requests.find(({ url }) => url === '/comet/send')!
    expect(JSON.parse(again.body)).toMatchObject({ key })
    again.json({ c: 'done' })
    expect(await sent).toBe('done')
  }, 10_000)

  test.each([
    [429, 'COMET_TOO_MANY_SENDS'],
    [503, 'COMET_SEND_IS_RUNNING'],
  ])('not before the time that %i %s asks for with Retry-After', async (status, code) => {
    const { channel, poll, until } = await openConnected()
    const sent = outcome(channel.send('Say', 1))
    ;(await nextSent()).request.error(status, code, { 'Retry-After': '200' })
    poll.drop()
    await until('state:reconnecting')
    ;(await theServer().next()).timeout('e1:10')
    await until('state:connected', 2)
    expect((await theServer().next()).method).toBe('GET')
    await expectNoRequest()
    void channel.leave()
    expect(await sent).toBe('COMET_LEFT')
  })

  test('after the time that Retry-After asks for', async () => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1)
    const { request, key } = await nextSent()
    request.error(503, 'COMET_SEND_IS_RUNNING', { 'Retry-After': '0.01' })
    const again = await nextSent()
    expect(again.key).toBe(key)
    again.request.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('over a restart of its server that still knows the client', async () => {
    const { channel, until } = await openConnected()
    const sent = channel.send('Say', 1)
    const { key } = await nextSent()
    const server = await restartServer(() => until('failure:COMET_CONNECTION_FAILED:true', 2))
    for (;;) {
      const request = await server.next()
      if (request.method === 'GET') continue
      expect(JSON.parse(request.body)).toMatchObject({ key })
      request.json({ c: 'done' })
      break
    }
    expect(await sent).toBe('done')
  })
})

describe('a send that was not answered 5 minutes after its first attempt', () => {
  test.each(IN_DOUBT)('is given up, and its outcome is unknown, after %s', async (_what, fail) => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1).catch((error: unknown) => error)
    const { request } = await nextSent()
    sleep(299)
    fail(request)
    const last = await nextSent()
    sleep(2)
    fail(last.request)
    const error = (await sent) as CometError
    expect(error).toMatchObject({ code: 'COMET_OUTCOME_IS_UNKNOWN', willRetry: false })
    expect(error.cause).toMatchObject({ code: expect.stringMatching(/^COMET_(?!OUTCOME)/) })
    await expectNoRequest()
  })

  test('is rejected with the last failure if none can have reached its handler', async () => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1).catch((error: unknown) => error)
    const { request } = await nextSent()
    sleep(301)
    request.error(429, 'COMET_TOO_MANY_SENDS')
    expect(await sent).toMatchObject({ code: 'COMET_TOO_MANY_SENDS', status: 429, willRetry: false })
    await expectNoRequest()
  })

  test('is given up then, whatever longer time Retry-After asks for', async () => {
    const { channel } = await openConnected()
    const sent = outcome(channel.send('Say', 1))
    const { request } = await nextSent()
    sleep(299.99)
    request.error(503, 'COMET_SEND_IS_RUNNING', { 'Retry-After': '3600' })
    expect(await sent).toBe('COMET_OUTCOME_IS_UNKNOWN')
  })

  test('takes nothing from the time of the next', async () => {
    const { channel } = await openConnected()
    const sent = [channel.send('Say', 1), channel.send('Say', 2)].map(outcome)
    const { request } = await nextSent()
    sleep(301)
    request.drop()
    const second = await nextSent()
    expect(second.c).toBe(2)
    sleep(299)
    second.request.drop()
    ;(await nextSent()).request.json({ c: 'done' })
    expect(await Promise.all(sent)).toEqual(['COMET_OUTCOME_IS_UNKNOWN', 'done'])
  })

  test('counts no time that it waited for a token', async () => {
    withoutJitter()
    const { channel } = openPage(null)
    const sent = channel.send('Say', 1)
    sleep(1000)
    channel.subscribe()
    ;(await theServer().next()).registered()
    const requests = [await theServer().next(), await theServer().next()]
    requests.find(({ url }) => url === '/comet/send')!.json({ c: 'done' })
    expect(await sent).toBe('done')
  })
})

/** Answers the page's polls and registration as a server that has forgotten its client. */
async function forget(): Promise<void> {
  const poll = await theServer().next()
  expect([poll.method, poll.url]).toEqual(['GET', '/comet'])
  poll.error(401, 'COMET_TOKEN_IS_UNKNOWN')
  ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
}

/** The poll of the new client, and the send if one is to come. */
async function nextPollAndSend(): Promise<{ poll: Received; send: Received }> {
  const requests = [await theServer().next(), await theServer().next()]
  const send = requests.find(({ url }) => url === '/comet/send')!
  const poll = requests.find(({ url }) => url === '/comet')!
  expect(send.headers.authorization).toBe('Bearer private-token-number-two')
  return { poll, send }
}

describe('a send that finds the client forgotten', () => {
  test.each<[string, Failing | undefined]>([
    ['at its first attempt', undefined],
    ['after 429', TOO_EARLY[1]],
  ])('has the page renew it at once, and goes as the new client: %s', async (_what, before) => {
    const { channel, poll, until } = await openConnected()
    const sent = channel.send('Say', 1)
    const first = await nextSent()
    before?.(first.request)
    const { request, key } = before ? await nextSent() : first
    request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await poll.closed()
    await forget()
    const next = await nextPollAndSend()
    expect(JSON.parse(next.send.body)).toMatchObject({ key })
    next.send.json({ c: 'done' })
    expect(await sent).toBe('done')
    next.poll.timeout('e2:5')
    await until('reset:forgotten')
  })

  test.each(IN_DOUBT)(
    'after %s is not sent again, as its handler would run twice: its outcome is unknown',
    async (_what, fail) => {
      const { channel } = await openConnected()
      const sent = [channel.send('Say', 1), channel.send('Say', 2)].map(outcome)
      fail((await nextSent()).request)
      ;(await nextSent()).request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
      expect(await sent[0]).toBe('COMET_OUTCOME_IS_UNKNOWN')
      // The next one, which nobody has seen, is not hit by that.
      await theServer().next()
      await theServer().next()
      const polls = theServer().received.filter(({ url, isOpen }) => isOpen && url === '/comet')
      expect(polls).toHaveLength(1)
      void channel.leave()
      expect(await sent[1]).toBe('COMET_LEFT')
      const sends = theServer().received.filter(({ url }) => url === '/comet/send')
      expect(sends.map(({ body }) => JSON.parse(body).c)).toEqual([1, 1, 2])
    },
  )

  test('is not sent again either if its page finds it out first', async () => {
    const { channel, poll } = await openConnected()
    const sent = [channel.send('Say', 1), channel.send('Say', 2)].map(outcome)
    const { request } = await nextSent()
    poll.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
    await theServer().next()
    // Now the answer is lost.
    request.drop()
    expect(await sent[0]).toBe('COMET_OUTCOME_IS_UNKNOWN')
    const second = await nextSent()
    expect(second.c).toBe(2)
    expect(second.request.headers.authorization).toBe('Bearer private-token-number-two')
    second.request.json({ c: 'done' })
    expect(await sent[1]).toBe('done')
  })

  test('nor if the app gives the new client the token of the old one', async () => {
    withoutJitter()
    const page = openPage(() => TOKEN)
    page.channel.subscribe()
    const poll = await connect()
    const sent = outcome(page.channel.send('Say', 1))
    const { request } = await nextSent()
    poll.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await theServer().next()
    request.drop()
    expect(await sent).toBe('COMET_OUTCOME_IS_UNKNOWN')
    await expectNoRequest()
  })

  test('is answered all the same if it had got through before', async () => {
    const { channel, poll } = await openConnected()
    const sent = channel.send('Say', 1)
    const { request } = await nextSent()
    poll.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
    await theServer().next()
    request.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('of servers that disagree goes as soon as one knows it again', async () => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1)
    ;(await nextSent()).request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    // This server knows the token.
    ;(await theServer().next()).timeout('e1:10')
    const requests = [await theServer().next(), await theServer().next()]
    requests.find(({ url }) => url === '/comet/send')!.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('is refused with that if nobody renews it in these 5 minutes: its server does not answer', async () => {
    const { channel, poll } = await openConnected()
    const sent = outcome(channel.send('Say', 1))
    const { request } = await nextSent()
    sleep(299.99)
    request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await poll.closed()
    expect(await sent).toBe('COMET_TOKEN_IS_UNKNOWN')
  })

  test('is refused if nobody can renew it: the app gave the token as text', async () => {
    withoutJitter()
    const page = openPage(TOKEN)
    page.channel.subscribe()
    await connect()
    const sent = page.channel.send('Say', 1).catch((error: unknown) => error)
    ;(await nextSent()).request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    expect(await sent).toMatchObject({ code: 'COMET_TOKEN_IS_UNKNOWN', status: 401, willRetry: false })
  })

  test('is refused if nobody renews it: the channel is not subscribed', async () => {
    const { channel } = await openConnected()
    channel.unsubscribe()
    const sent = outcome(channel.send('Say', 1))
    ;(await nextSent()).request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    expect(await sent).toBe('COMET_TOKEN_IS_UNKNOWN')
    await expectNoRequest()
  })
})

describe('what one user sent', () => {
  test.each([
    [401, 'COMET_IDENTITY_IS_LOST'],
    [403, 'COMET_IDENTITY_HAS_CHANGED'],
  ])('never goes as another: %i %s', async (status, code) => {
    const { channel, poll } = await openConnected()
    const sent = [channel.send('Say', 1), channel.send('Say', 2), channel.joinGroup('room')].map(outcome)
    const { request } = await nextSent()
    request.error(status, code)
    await poll.closed()
    const polls = await theServer().next()
    expect(polls.url).toBe('/comet')
    polls.error(status, code)
    const goodbye = await theServer().next()
    expect(goodbye.url).toBe('/comet/goodbye')
    goodbye.json({})
    const register = await theServer().next()
    register.registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
    expect(await Promise.all(sent)).toEqual(Array(3).fill('COMET_IDENTITY_HAS_CHANGED'))
    const later = channel.send('Say', 3)
    const { send } = await nextPollAndSend()
    expect(JSON.parse(send.body)).toMatchObject({ c: 3 })
    send.json({ c: 'done' })
    expect(await later).toBe('done')
  })

  test.each([
    [401, 'COMET_TOKEN_IS_MISSING'],
    [403, 'COMET_ACCESS_IS_DENIED'],
  ])(
    'and may have run: a repetition that is refused with %i %s does not say that it has not',
    async (status, code) => {
      const { channel } = await openConnected()
      const sent = channel.send('Say', 1).catch((error: unknown) => error)
      ;(await nextSent()).request.drop()
      ;(await nextSent()).request.error(status, code)
      expect(await sent).toMatchObject({ code: 'COMET_OUTCOME_IS_UNKNOWN', cause: { code } })
    },
  )

  test.each([
    [422, 'NAME_IS_TAKEN'],
    [403, 'COMET_SEND_IS_REFUSED'],
    [500, 'COMET_SEND_HAS_FAILED'],
  ])(
    'and that its handler refuses at a repetition, is refused with what that says: %i %s',
    async (status, code) => {
      const { channel } = await openConnected()
      const sent = outcome(channel.send('Say', 1))
      ;(await nextSent()).request.drop()
      ;(await nextSent()).request.error(status, code)
      expect(await sent).toBe(code)
    },
  )
})
