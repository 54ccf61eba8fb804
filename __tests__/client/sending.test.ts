import { describe, expect, test } from '@jest/globals'
import { CometError } from '../../client/index.ts'
import {
  connect,
  connectRegistered,
  deferred,
  expectNoRequest,
  message,
  nextGroups,
  nextSent,
  openPage,
  outcome,
  TOKEN,
  theServer,
  useServer,
} from './harness.ts'

useServer()

async function openConnected() {
  const page = openPage(TOKEN)
  page.channel.subscribe()
  return { ...page, poll: await connect() }
}

describe('send()', () => {
  test('posts name, contents and a key, with the token, and resolves with what the handler gave', async () => {
    const { channel } = await openConnected()
    const result = channel.send('Say', { text: 'hello' })
    const { request, n, c, key } = await nextSent()
    expect({ n, c }).toEqual({ n: 'Say', c: { text: 'hello' } })
    expect(key).toMatch(/^\d+-1$/)
    expect(request.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
    })
    request.json({ c: { number: 7 } })
    expect(await result).toEqual({ number: 7 })
  })

  test.each([[null], [0], [''], [false]])('resolves with %j, too', async (result) => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1)
    ;(await nextSent()).request.json({ c: result })
    expect(await sent).toBe(result)
  })

  test('sends none for contents that are left out, and reads contents at once', async () => {
    const { channel } = await openConnected()
    const contents = { text: 'before' }
    const sent = [channel.send('Ping'), channel.send('Say', contents)]
    contents.text = 'after'
    const first = await nextSent()
    expect(first).not.toHaveProperty('c')
    first.request.json({ c: 1 })
    const second = await nextSent()
    expect(second.c).toEqual({ text: 'before' })
    second.request.json({ c: 2 })
    expect(await Promise.all(sent)).toEqual([1, 2])
  })

  test('uses a key for nothing else, on no other page either', async () => {
    const { channel } = await openConnected()
    const keys = new Set<string>()
    for (const page of [channel, openPage(TOKEN).channel]) {
      for (let sent = 0; sent < 3; sent += 1) {
        const result = page.send('Say', sent)
        const { request, key } = await nextSent()
        keys.add(key)
        request.json({ c: 1 })
        await result
      }
    }
    expect(keys.size).toBe(6)
  })

  test('sends nothing that is no JSON, and no name that is no text', async () => {
    const { channel } = await openConnected()
    await expect(channel.send('Say', 1n)).rejects.toThrow(TypeError)
    await expect(Reflect.apply(channel.send, channel, [7, 'text'])).rejects.toThrow(
      /name must be a string, got number/,
    )
    await expectNoRequest()
  })

  test('goes on while messages come, whatever their handlers do', async () => {
    const { channel, poll, until } = await openConnected()
    const result = channel.send('Say', 1)
    const { request } = await nextSent()
    poll.messages('e1:11', [message(11)])
    await until('message:11')
    await theServer().next()
    request.json({ c: 'done' })
    expect(await result).toBe('done')
  })
})

describe('what the server refuses', () => {
  test.each([
    [422, 'NAME_IS_TAKEN', { suggestion: 'ada2' }],
    [422, 'NOT_YOUR_TURN', undefined],
    // The app's, and the channel's own are a part of them.
    [422, 'INVITE_TOKEN_IS_UNKNOWN', undefined],
    [422, 'MY_COMET_TOKEN_IS_UNKNOWN', undefined],
    [422, 'IDENTITY_HAS_CHANGED', undefined],
    [422, 'SEND_HAS_FAILED', undefined],
    [403, 'COMET_ACCESS_IS_DENIED', undefined],
    [404, 'COMET_HANDLER_DOES_NOT_EXIST', undefined],
    [404, 'COMET_NOT_OFFERED', undefined],
    [413, 'COMET_MESSAGE_IS_TOO_LARGE', undefined],
    [500, 'COMET_SEND_HAS_FAILED', undefined],
    [409, 'COMET_SEND_IS_REFUSED', undefined],
    // The handler said so: each repetition would be told the same.
    [429, 'COMET_SEND_IS_REFUSED', undefined],
    [409, 'COMET_OUTCOME_IS_UNKNOWN', undefined],
  ])('with %i %s rejects the send with it, and is not asked for again', async (status, code, details) => {
    const { channel, seen } = await openConnected()
    const refused = channel.send('Say', 1).catch((error: unknown) => error)
    ;(await nextSent()).request.error(status, code, {}, details)
    const error = await refused
    expect(error).toBeInstanceOf(CometError)
    expect(error).toMatchObject({ code, status, willRetry: false, message: `The server says ${code}` })
    expect((error as CometError).details).toEqual(details)
    await expectNoRequest()
    // No failure of the channel.
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('does not hold up what was sent after it', async () => {
    const { channel } = await openConnected()
    const sent = [channel.send('Say', 1), channel.send('Say', 2)].map(outcome)
    ;(await nextSent()).request.error(422, 'NO')
    ;(await nextSent()).request.json({ c: 'yes' })
    expect(await Promise.all(sent)).toEqual(['NO', 'yes'])
  })
})

describe('sends, joins and leaves', () => {
  test('go one at a time, in the order of the calls', async () => {
    const { channel } = await openConnected()
    const done: string[] = []
    void channel.send('Say', 1).then(() => done.push('first'))
    void channel.joinGroup('room').then(() => done.push('join'))
    void channel.leaveGroup('room').then(() => done.push('leave'))
    const last = channel.send('Say', 2).then(() => done.push('last'))
    const first = await nextSent()
    await expectNoRequest()
    first.request.json({ c: 1 })
    const join = await nextGroups()
    expect(join).toMatchObject({ join: ['room'], leave: [] })
    await expectNoRequest()
    join.request.json({ groups: ['room'] })
    const leave = await nextGroups()
    expect(leave).toMatchObject({ join: [], leave: ['room'] })
    leave.request.json({ groups: [] })
    const second = await nextSent()
    expect(second.c).toBe(2)
    second.request.json({ c: 1 })
    await last
    expect(done).toEqual(['first', 'join', 'leave', 'last'])
  })

  test('that wait may be 1,000: one more is rejected at once, and when one is answered there is room', async () => {
    const { channel } = await openConnected()
    const sent = Array.from({ length: 1000 }, (_, index) => outcome(channel.send('Say', index)))
    const first = await nextSent()
    expect(await outcome(channel.send('Say', 1000))).toBe('COMET_QUEUE_IS_FULL')
    expect(await outcome(channel.joinGroup('room'))).toBe('COMET_QUEUE_IS_FULL')
    first.request.json({ c: 'done' })
    expect(await sent[0]).toBe('done')
    sent.push(outcome(channel.send('Say', 1000)))
    const second = await nextSent()
    expect(second.c).toBe(1)
    void channel.leave()
    expect(new Set(await Promise.all(sent.slice(1)))).toEqual(new Set(['COMET_LEFT']))
  })
})

describe('what is sent before there is a token', () => {
  test('waits until the channel has registered, and goes before its first poll is answered', async () => {
    const { channel } = openPage(null)
    const sent = channel.send('Say', 1)
    await expectNoRequest()
    channel.subscribe()
    const register = await theServer().next()
    await expectNoRequest()
    register.registered()
    const requests = [await theServer().next(), await theServer().next()]
    const send = requests.find(({ url }) => url === '/comet/send')!
    expect(send.headers.authorization).toBe('Bearer private-token-number-one')
    send.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('waits over failures to register, and over unsubscribe() and subscribe()', async () => {
    const { channel, until } = openPage(null)
    channel.subscribe()
    const sent = channel.send('Say', 1)
    ;(await theServer().next()).error(503, 'COMET_TOO_MANY_CLIENTS', { 'Retry-After': '3600' })
    await until('failure:COMET_TOO_MANY_CLIENTS:true')
    channel.unsubscribe()
    await expectNoRequest()
    channel.subscribe()
    ;(await theServer().next()).registered()
    const requests = [await theServer().next(), await theServer().next()]
    requests.find(({ url }) => url === '/comet/send')!.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('waits for the function that gets the token', async () => {
    const login = deferred<string>()
    const { channel } = openPage(() => login.promise)
    channel.subscribe()
    const sent = channel.send('Say', 1)
    await expectNoRequest()
    login.resolve(TOKEN)
    const requests = [await theServer().next(), await theServer().next()]
    const send = requests.find(({ url }) => url === '/comet/send')!
    expect(send.headers.authorization).toBe(`Bearer ${TOKEN}`)
    send.json({ c: 'done' })
    expect(await sent).toBe('done')
  })
})

describe('what is sent while the channel is not subscribed', () => {
  test('goes, if the app gave the token as text', async () => {
    const { channel, seen } = openPage(TOKEN)
    const sent = channel.send('Say', 1)
    const { request } = await nextSent()
    expect(request.headers.authorization).toBe(`Bearer ${TOKEN}`)
    request.json({ c: 'done' })
    expect(await sent).toBe('done')
    expect([channel.state, seen]).toEqual(['disconnected', []])
  })

  test('goes on after unsubscribe(), with the token that the channel has', async () => {
    const { channel } = openPage(null)
    channel.subscribe()
    await connectRegistered()
    const first = channel.send('Say', 1)
    const { request } = await nextSent()
    channel.unsubscribe()
    const second = channel.send('Say', 2)
    request.json({ c: 'one' })
    expect(await first).toBe('one')
    const later = await nextSent()
    expect(later.request.headers.authorization).toBe('Bearer private-token-number-one')
    later.request.json({ c: 'two' })
    expect(await second).toBe('two')
    await expectNoRequest()
  })
})
