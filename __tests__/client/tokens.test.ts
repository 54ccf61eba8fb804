import { describe, expect, test } from '@jest/globals'
import {
  connect,
  expectNoRequest,
  message,
  openPage,
  restartServer,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'

useServer()

/** Registers, and returns the poll that is then held. */
async function connectRegistered() {
  const register = await theServer().next()
  register.registered()
  return connect()
}

describe('a channel without a token', () => {
  test('registers itself, and reads on from where its client begins', async () => {
    const { channel } = openPage(null)
    channel.subscribe()
    const register = await theServer().next()
    expect([register.method, register.url, register.body]).toEqual(['POST', '/comet/register', '{}'])
    expect(register.headers['content-type']).toBe('application/json')
    register.registered()
    const poll = await theServer().next()
    expect(poll.headers.authorization).toBe('Bearer private-token-number-one')
    expect(poll.headers['last-event-id']).toBe('e1:10')
    expect(channel).toMatchObject({
      privateToken: 'private-token-number-one',
      publicToken: 'public-1',
      displayName: 'Ada',
      cursor: 'e1:10',
    })
  })

  test.each(['?room=1/2', '/?room=1/2'])(
    'keeps the query string of its address when it registers: /comet%s',
    async (suffix) => {
      const { channel } = openPage(null, {}, suffix)
      channel.subscribe()
      const register = await theServer().next()
      expect(register.url).toBe('/comet/register?room=1/2')
      register.registered()
      expect((await theServer().next()).url).toBe(`/comet${suffix}`)
    },
  )

  test('waits for a poll as long as the server said that it holds it', async () => {
    const { channel } = openPage(null, { connectionTimeoutSeconds: 5 })
    channel.subscribe()
    const register = await theServer().next()
    const limits: unknown[] = []
    const real = globalThis.setTimeout
    globalThis.setTimeout = ((run: () => void, ms?: number) => {
      limits.push(ms)
      return real(run, ms)
    }) as typeof setTimeout
    try {
      register.registered({ connectionTimeoutSeconds: 40 })
      await theServer().next()
    } finally {
      globalThis.setTimeout = real
    }
    expect(limits).toContain(50_000)
  })

  test.each([
    [40, 'wait=40'],
    [0.2, 'wait=1'],
    // The most that a server says.
    [86_400, 'wait=86400'],
  ])('that is held for %d s asks for no longer: Prefer: %s', async (seconds, prefer) => {
    const { channel, seen } = openPage(null)
    channel.subscribe()
    ;(await theServer().next()).registered({ connectionTimeoutSeconds: seconds })
    expect((await connect()).headers.prefer).toBe(prefer)
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test.each([
    ['a registration without a token', { privateToken: '' }],
    ['a registration with a token that no header can carry', { privateToken: 'ünïcödé' }],
    ['a registration without a cursor', { cursor: 'x' }],
  ])('%s is a failed attempt', async (_what, answer) => {
    withoutJitter()
    const { channel, seen } = openPage(null)
    channel.subscribe()
    const register = await theServer().next()
    register.registered(answer)
    expect((await theServer().next()).url).toBe('/comet/register')
    expect(seen).toContain('failure:COMET_ANSWER_IS_INVALID:true')
  })

  test('a server that fails to register is asked again', async () => {
    withoutJitter()
    const { channel, seen } = openPage(null)
    channel.subscribe()
    const register = await theServer().next()
    register.error(503, 'COMET_TOO_MANY_CLIENTS')
    expect((await theServer().next()).url).toBe('/comet/register')
    expect(seen).toEqual(['state:connecting', 'state:reconnecting', 'failure:COMET_TOO_MANY_CLIENTS:true'])
  })

  test('a server that refuses to register is not asked again', async () => {
    const { channel, until } = openPage(null)
    channel.subscribe()
    const register = await theServer().next()
    register.error(403, 'COMET_REGISTRATION_IS_REFUSED')
    await until('failure:COMET_REGISTRATION_IS_REFUSED:false')
    await expectNoRequest()
    expect(channel.state).toBe('disconnected')
  })
})

async function expectGoodbye(privateToken: string): Promise<void> {
  const goodbye = await theServer().next()
  expect([goodbye.url, new URLSearchParams(goodbye.body).get('privateToken')]).toEqual([
    '/comet/goodbye',
    privateToken,
  ])
  goodbye.json({})
}

describe('a client that the server forgot', () => {
  test.each([
    [401, 'COMET_TOKEN_IS_UNKNOWN'],
    [401, 'COMET_IDENTITY_IS_LOST'],
    [403, 'COMET_IDENTITY_HAS_CHANGED'],
  ])(
    'at %i %s, registers anew at once, comes as a new page, and is told that messages may be missing',
    async (status, code) => {
      const { channel, seen } = openPage(null)
      const resets: unknown[] = []
      channel.addEventListener('reset', ({ detail }) => resets.push(detail))
      channel.subscribe()
      const poll = await connectRegistered()
      // A held poll was answered: the token is known to have been good.
      poll.messages('e1:11', [message(11)])
      ;(await theServer().next()).error(status, code)
      // Another's client would stay in its groups until its idle time is over.
      if (code !== 'COMET_TOKEN_IS_UNKNOWN') await expectGoodbye('private-token-number-one')
      const register = await theServer().next()
      expect(register.url).toBe('/comet/register')
      register.registered({
        privateToken: 'private-token-number-two',
        publicToken: 'public-2',
        cursor: 'e2:5',
      })
      const first = await theServer().next()
      expect(first.headers['comet-page']).toMatch(/;new$/)
      expect(first.headers.prefer).toBe('wait=0')
      expect(first.headers['last-event-id']).toBe('e2:5')
      first.messages('e2:7', [message(7)])
      await theServer().next()
      expect(seen).toEqual([
        'state:connecting',
        'state:connected',
        'message:11',
        'state:reconnecting',
        'state:connected',
        'reset:forgotten',
        'message:7',
      ])
      expect(resets).toEqual([{ reason: 'forgotten', epoch: 'e2', messageId: 5 }])
      expect(channel.publicToken).toBe('public-2')
    },
  )

  test('goes on by itself when its server was down and has forgotten everything', async () => {
    withoutJitter()
    const { channel, seen, until } = openPage(null)
    channel.subscribe()
    const poll = await connectRegistered()
    poll.messages('e1:11', [message(11)])
    await theServer().next()
    const server = await restartServer(() => until('failure:COMET_CONNECTION_FAILED:true', 2))
    ;(await server.next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await server.next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:0' })
    ;(await server.next()).messages('e2:1', [message(1)])
    await until('message:1')
    expect(seen.slice(-3)).toEqual(['state:connected', 'reset:forgotten', 'message:1'])
  })

  test('and is paused as soon as it is connected again, is told of the reset when it goes on', async () => {
    const { channel, seen } = openPage(null)
    channel.subscribe()
    ;(await connectRegistered()).timeout('e1:10')
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
    const paused = new Promise<void>((resolve) => {
      channel.addEventListener('statechange', function pause({ detail }) {
        if (detail.state !== 'connected') return
        channel.removeEventListener('statechange', pause as unknown as EventListener)
        channel.unsubscribe()
        resolve()
      })
    })
    ;(await theServer().next()).timeout('e2:5')
    await paused
    await expectNoRequest()
    expect(seen).not.toContain('reset:forgotten')
    channel.subscribe()
    await connect('e2:5')
    expect(seen.slice(-2)).toEqual(['state:connected', 'reset:forgotten'])
  })

  test('and whose new token is refused too, tries again only after a pause, and says so', async () => {
    withoutJitter()
    const { channel, seen } = openPage(null)
    channel.subscribe()
    const poll = await connectRegistered()
    poll.timeout('e1:10')
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered()
    expect(seen.filter((each) => each.startsWith('failure'))).toEqual([])
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    expect((await theServer().next()).url).toBe('/comet/register')
    expect(seen.slice(-1)).toEqual(['failure:COMET_TOKEN_IS_UNKNOWN:true'])
  })

  test('by servers that disagree, one good answer at once does not make its token proven', async () => {
    withoutJitter()
    const { channel, seen } = openPage(null)
    channel.subscribe()
    const held = await connectRegistered()
    held.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await theServer().next()
    expect(seen.slice(-1)).toEqual(['failure:COMET_TOKEN_IS_UNKNOWN:true'])
  })
})

describe('a token that a function gets', () => {
  test('is asked for once, and again when the client is unknown', async () => {
    const tokens = ['token-number-one', 'token-number-two']
    let calls = 0
    const { channel, seen } = openPage(async () => tokens[calls++]!)
    channel.subscribe()
    const poll = await connect()
    expect(poll.headers.authorization).toBe('Bearer token-number-one')
    poll.timeout('e1:10')
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    const first = await theServer().next()
    expect(first.headers.authorization).toBe('Bearer token-number-two')
    expect(first.headers).not.toHaveProperty('last-event-id')
    first.timeout('e2:3')
    await theServer().next()
    expect(seen.slice(-2)).toEqual(['state:connected', 'reset:forgotten'])
    expect(calls).toBe(2)
    expect(channel.cursor).toBe('e2:3')
  })

  test.each([
    ['throws', () => Promise.reject(new Error('no login'))],
    ['gives nothing', () => undefined as unknown as string],
    ['gives what no header can carry', () => 'with space'],
  ])('that %s, is asked for again after a pause', async (_what, first) => {
    withoutJitter()
    let calls = 0
    const { channel, failures } = openPage(() => (calls++ === 0 ? first() : TOKEN))
    channel.subscribe()
    expect((await theServer().next()).headers.authorization).toBe(`Bearer ${TOKEN}`)
    expect(failures).toHaveLength(1)
    expect(failures[0]).toMatchObject({ code: 'COMET_TOKEN_FUNCTION_FAILED', willRetry: true })
  })

  test('of a client that was stopped is not asked for again', async () => {
    let calls = 0
    const { channel, until } = openPage(() => `${TOKEN}${++calls}`)
    channel.subscribe()
    ;(await connect()).error(403, 'COMET_CLIENT_IS_STOPPED')
    await until('failure:COMET_CLIENT_IS_STOPPED:false')
    await expectNoRequest()
    expect(calls).toBe(1)
  })
})
