import { describe, expect, test } from '@jest/globals'
import {
  connect,
  deferred,
  expectNoRequest,
  message,
  openPage,
  openSilentPage,
  TOKEN,
  theServer,
  useServer,
} from './harness.ts'

useServer()

describe('subscribe() and unsubscribe()', () => {
  test('a second subscribe() does nothing: there is one loop', async () => {
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    channel.subscribe()
    const poll = await connect()
    channel.subscribe()
    await expectNoRequest()
    expect(theServer().open).toEqual([poll])
  })

  test('unsubscribe() gives the held poll up, and subscribe() goes on from the cursor', async () => {
    const { channel, seen } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    channel.unsubscribe()
    expect(channel.state).toBe('disconnected')
    await poll.closed()
    await expectNoRequest()
    channel.subscribe()
    const again = await theServer().next()
    expect(again.headers['last-event-id']).toBe('e1:10')
    expect(again.headers.prefer).toBe('wait=0')
    expect(seen.filter((each) => each.startsWith('failure'))).toEqual([])
  })

  test('unsubscribe() in a handler ends the delivery behind that message; the rest comes later', async () => {
    const { channel, messages } = openPage(TOKEN)
    const off = channel.on('News', (_contents, { mid }) => mid === 11 && channel.unsubscribe())
    const other: number[] = []
    channel.addSuccessHandler((_token, _alias, { mid }) => other.push(mid))
    channel.subscribe()
    ;(await connect()).messages('e1:13', [message(11), message(12), message(13)])
    await new Promise((resolve) => channel.addEventListener('statechange', resolve, { once: true }))
    await expectNoRequest()
    expect([messages.map(({ mid }) => mid), other]).toEqual([[11], [11]])
    off()
    channel.subscribe()
    const again = await theServer().next()
    expect(again.headers['last-event-id']).toBe('e1:11')
    again.messages('e1:13', [message(12), message(13)])
    await theServer().next()
    expect(messages.map(({ mid }) => mid)).toEqual([11, 12, 13])
  })

  test('nothing is delivered after unsubscribe(), also if the answer is just being read', async () => {
    const { channel, messages } = openPage(TOKEN, {
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        const json = response.json.bind(response)
        response.json = async () => {
          const body = await json()
          if (body.length > 1) channel.unsubscribe()
          return body
        }
        return response
      },
    })
    channel.subscribe()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await new Promise((resolve) => channel.addEventListener('statechange', resolve, { once: true }))
    await expectNoRequest()
    expect(messages).toEqual([])
    expect(channel.cursor).toBe('e1:10')
  })

  test.each([
    ['a held poll', async () => void (await connect())],
    ['the first poll', async () => void (await theServer().next())],
    ['a back-off', async () => (await connect()).error(503, 'COMET_QUEUE_IS_FULL', { 'Retry-After': '60' })],
    ["a closing server's pause", async () => (await connect()).timeout('e1:10', { 'Retry-After': '60' })],
  ])('subscribe() right after unsubscribe() in %s leaves exactly one loop', async (what, reach) => {
    const { channel, until } = openPage(TOKEN)
    channel.subscribe()
    await reach()
    if (what === 'a back-off') await until('failure:COMET_QUEUE_IS_FULL:true')
    if (what.startsWith('a closing')) await until('timeout')
    const before = theServer().open
    channel.unsubscribe()
    channel.subscribe()
    const poll = await theServer().next()
    await Promise.all(before.map((each) => each.closed()))
    await expectNoRequest()
    expect(theServer().open).toEqual([poll])
    expect(poll.headers.prefer).toBe('wait=0')
  })

  test('subscribe() right after unsubscribe() while registering leaves exactly one loop', async () => {
    const { channel } = openPage(null)
    channel.subscribe()
    const first = await theServer().next()
    channel.unsubscribe()
    channel.subscribe()
    await first.closed()
    const second = await theServer().next()
    expect(second.url).toBe('/comet/register')
    second.registered()
    const poll = await theServer().next()
    await expectNoRequest()
    expect(theServer().open).toEqual([poll])
  })

  test('unsubscribe() while the app still looks for a token: the token is not used', async () => {
    const token = deferred<string>()
    const { channel, seen } = openPage(() => token.promise)
    channel.subscribe()
    channel.unsubscribe()
    token.resolve(TOKEN)
    await expectNoRequest()
    expect(seen).toEqual(['state:connecting', 'state:disconnected'])
  })

  test('a handler may subscribe again when the channel has stopped', async () => {
    const { channel } = openPage(TOKEN)
    channel.addFailureHandler((_token, _alias, { willRetry }) => !willRetry && channel.subscribe())
    channel.subscribe()
    ;(await connect()).error(400, 'COMET_PARAMETERS_ARE_INVALID')
    const poll = await theServer().next()
    await expectNoRequest()
    expect(theServer().open).toEqual([poll])
    expect(channel.state).toBe('connecting')
  })

  test('a listener of statechange may unsubscribe at once', async () => {
    const { channel } = openPage(TOKEN)
    channel.addEventListener('statechange', () => channel.unsubscribe())
    channel.subscribe()
    await expectNoRequest()
    expect(channel.state).toBe('disconnected')
  })
})

describe('the option signal', () => {
  test('its abort unsubscribes for good', async () => {
    const abort = new AbortController()
    const { channel } = openPage(TOKEN, { signal: abort.signal })
    channel.subscribe()
    const poll = await connect()
    abort.abort()
    expect(channel.state).toBe('disconnected')
    await poll.closed()
    channel.subscribe()
    await expectNoRequest()
    expect(channel.state).toBe('disconnected')
  })

  test('that has aborted already lets nothing begin', async () => {
    const { channel } = openPage(TOKEN, { signal: AbortSignal.abort() })
    channel.subscribe()
    await expectNoRequest()
  })
})

describe('leave()', () => {
  test('says goodbye with token and page, and resolves when the server has heard', async () => {
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    const left = channel.leave()
    await poll.closed()
    const goodbye = await theServer().next()
    expect([goodbye.method, goodbye.url]).toEqual(['POST', '/comet/goodbye'])
    expect(goodbye.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/)
    expect(Object.fromEntries(new URLSearchParams(goodbye.body))).toEqual({
      privateToken: TOKEN,
      page: poll.headers['comet-page'],
    })
    goodbye.answer(204, {}, '')
    await left
    expect(channel.state).toBe('disconnected')
    expect(channel.cursor).toBeUndefined()
  })

  test('resolves also if the goodbye fails', async () => {
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    await connect()
    const left = channel.leave()
    ;(await theServer().next()).drop()
    await left
  })

  test('says nothing when there is no client to leave, and nothing twice', async () => {
    await openPage(null).channel.leave()
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    await connect()
    const left = channel.leave()
    await channel.leave()
    ;(await theServer().next()).answer(204, {}, '')
    await left
    await expectNoRequest()
  })

  test('of a page whose client was just forgotten: what comes after it is no reset', async () => {
    const { channel, seen } = openPage(null)
    channel.subscribe()
    ;(await theServer().next()).registered()
    ;(await connect()).timeout('e1:10')
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await theServer().next()
    await channel.leave()
    channel.subscribe()
    ;(await theServer().next()).registered()
    await connect()
    expect(seen.filter((each) => each.startsWith('reset'))).toEqual([])
  })

  test('and subscribe() register a new client, which is no reset', async () => {
    const { channel, seen } = openPage(null)
    channel.subscribe()
    ;(await theServer().next()).registered()
    await connect()
    const left = channel.leave()
    ;(await theServer().next()).answer(204, {}, '')
    await left
    channel.subscribe()
    const register = await theServer().next()
    expect(register.url).toBe('/comet/register')
    register.registered({ privateToken: 'private-token-number-two' })
    const poll = await connect()
    expect(poll.headers.authorization).toBe('Bearer private-token-number-two')
    expect(seen.filter((each) => each.startsWith('reset'))).toEqual([])
  })
})
