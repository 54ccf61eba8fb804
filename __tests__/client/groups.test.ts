import { describe, expect, test } from '@jest/globals'
import type { CometError } from '../../client/index.ts'
import {
  connect,
  connectRegistered,
  expectNoRequest,
  nextGroups,
  nextSent,
  openPage,
  outcome,
  type Page,
  TabStorage,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'

useServer()

async function openConnected(storage: TabStorage | null = null): Promise<Page & { poll: Received }> {
  withoutJitter()
  const page = openPage(null, { storage })
  page.channel.subscribe()
  return { ...page, poll: await connectRegistered() }
}

async function join({ channel }: Page, ...names: string[]): Promise<void> {
  for (const name of names) {
    const joined = channel.joinGroup(name)
    ;(await nextGroups()).request.json({ groups: names })
    await joined
  }
}

/** Answers that the client is forgotten, and registers the next. */
async function forget(poll: Received): Promise<void> {
  poll.error(401, 'COMET_TOKEN_IS_UNKNOWN')
  const register = await theServer().next()
  expect(register.url).toBe('/comet/register')
  register.registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
}

/** The poll that the new client begins with. */
async function firstPoll(): Promise<Received> {
  const poll = await theServer().next()
  expect([poll.method, poll.url]).toEqual(['GET', '/comet'])
  expect(poll.headers.authorization).toBe('Bearer private-token-number-two')
  return poll
}

describe('joinGroup() and leaveGroup()', () => {
  test('resolve when the server has answered', async () => {
    const { channel } = await openConnected()
    const joined = channel.joinGroup('Räume & "Türen"')
    const { request, join, leave } = await nextGroups()
    expect([join, leave]).toEqual([['Räume & "Türen"'], []])
    expect(request.headers.authorization).toBe('Bearer private-token-number-one')
    request.json({ groups: join })
    expect(await joined).toBeUndefined()
    const left = channel.leaveGroup('Räume & "Türen"')
    const second = await nextGroups()
    expect([second.join, second.leave]).toEqual([[], join])
    second.request.json({ groups: [] })
    expect(await left).toBeUndefined()
  })

  test.each([
    [403, 'COMET_GROUP_IS_REFUSED'],
    [409, 'COMET_CLIENT_HAS_TOO_MANY_GROUPS'],
  ])('are rejected with what the server refuses with: %i %s', async (status, code) => {
    const { channel, seen } = await openConnected()
    const refused = channel.joinGroup('room').catch((error: unknown) => error)
    ;(await nextGroups()).request.error(status, code)
    expect(await refused).toMatchObject({ code, status, willRetry: false })
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('are repeated until they are answered', async () => {
    const { channel } = await openConnected()
    const joined = channel.joinGroup('room')
    ;(await nextGroups()).request.drop()
    ;(await nextGroups()).request.error(503, 'COMET_CHANNEL_IS_CLOSING')
    ;(await nextGroups()).request.json({ groups: ['room'] })
    await joined
  })

  test.each(['joinGroup', 'leaveGroup', 'getClients'] as const)(
    '%s takes nothing but text',
    async (method) => {
      const { channel } = await openConnected()
      await expect(Reflect.apply(channel[method], channel, [7])).rejects.toThrow(
        /group must be a string, got number/,
      )
      await expectNoRequest()
    },
  )
})

describe('a page that had to initialise anew', () => {
  test('joins again what it had joined, before it is told of the reset, and before it sends', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two', 'three')
    const left = page.channel.leaveGroup('two')
    ;(await nextGroups()).request.json({ groups: ['one', 'three'] })
    await left
    await forget(page.poll)
    const sent: Promise<unknown>[] = []
    for (const name of ['one', 'three']) {
      const { request, join, leave } = await nextGroups()
      sent.push(page.channel.send('Say', name))
      expect([join, leave]).toEqual([[name], []])
      expect(request.headers.authorization).toBe('Bearer private-token-number-two')
      await expectNoRequest()
      request.json({ groups: [] })
    }
    const requests = [await theServer().next(), await theServer().next()]
    expect(page.seen).not.toContain('reset:forgotten')
    requests.find(({ url }) => url === '/comet/send')!.json({ c: 'first' })
    ;(await nextSent()).request.json({ c: 'second' })
    expect(await Promise.all(sent)).toEqual(['first', 'second'])
    requests.find(({ url }) => url === '/comet')!.timeout('e2:5')
    await page.until('reset:forgotten')
  })

  test('joins them in spite of drops, and of a server that is busy', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two')
    await forget(page.poll)
    ;(await nextGroups()).request.json({ groups: [] })
    ;(await nextGroups()).request.drop()
    const again = await nextGroups()
    expect(again.join).toEqual(['one'])
    again.request.error(503, 'COMET_CHANNEL_IS_BUSY')
    ;(await nextGroups()).request.json({ groups: ['one'] })
    ;(await nextGroups()).request.json({ groups: ['one', 'two'] })
    ;(await firstPoll()).timeout('e2:5')
    await page.until('reset:forgotten')
  })

  test('and is forgotten once more before it has joined them, joins them all as the third client', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two')
    await forget(page.poll)
    ;(await nextGroups()).request.json({ groups: [] })
    await forget((await nextGroups()).request)
    const again = await nextGroups()
    expect(again.join).toEqual(['one'])
    again.request.json({ groups: ['one'] })
    ;(await nextGroups()).request.json({ groups: ['one', 'two'] })
    await firstPoll()
  })

  test('gives a group up that refuses it now, says so, and goes on', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two')
    await forget(page.poll)
    ;(await nextGroups()).request.error(403, 'COMET_GROUP_IS_REFUSED')
    const again = await nextGroups()
    expect(again.join).toEqual(['two'])
    again.request.json({ groups: ['two'] })
    const poll = await firstPoll()
    expect(page.failures.at(-1)).toMatchObject({ code: 'COMET_GROUP_IS_REFUSED', willRetry: true })
    await forget(poll)
    expect((await nextGroups()).join).toEqual(['two'])
  })

  test('and is stopped by its server amid that, stops', async () => {
    const page = await openConnected()
    await join(page, 'one')
    await forget(page.poll)
    ;(await nextGroups()).request.error(403, 'COMET_CLIENT_IS_STOPPED')
    await page.until('failure:COMET_CLIENT_IS_STOPPED:false')
    await expectNoRequest()
  })

  test('joins once more what an answer to the client before said', async () => {
    const page = await openConnected()
    const joined = page.channel.joinGroup('room')
    const { request } = await nextGroups()
    await forget(page.poll)
    await firstPoll()
    request.json({ groups: ['room'] })
    const again = await nextGroups()
    expect(again.request.headers.authorization).toBe('Bearer private-token-number-two')
    again.request.json({ groups: ['room'] })
    await joined
  })

  test('joins also what it was about to join, whether or not that got through', async () => {
    const page = await openConnected()
    const joined = page.channel.joinGroup('room')
    ;(await nextGroups()).request.drop()
    const { request } = await nextGroups()
    await forget(page.poll)
    await firstPoll()
    request.drop()
    const again = await nextGroups()
    expect(again.request.headers.authorization).toBe('Bearer private-token-number-two')
    again.request.json({ groups: ['room'] })
    await joined
  })

  test.each(['it left for good', 'it was stopped'])('joins nothing if %s', async (how) => {
    const page = await openConnected()
    await join(page, 'one')
    if (how === 'it was stopped') {
      page.poll.error(403, 'COMET_CLIENT_IS_STOPPED')
      await page.until('failure:COMET_CLIENT_IS_STOPPED:false')
    } else {
      const left = page.channel.leave()
      ;(await theServer().next()).answer(204, {}, '')
      await left
    }
    page.channel.subscribe()
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
    await firstPoll()
  })
})

describe('after a reload', () => {
  test('nothing is joined again: the client is a member still', async () => {
    const storage = new TabStorage()
    const before = await openConnected(storage)
    await join(before, 'room')
    before.channel.unsubscribe()
    const after = openPage(null, { storage })
    after.channel.subscribe()
    const poll = await theServer().next()
    expect([poll.url, poll.headers.authorization]).toEqual(['/comet', 'Bearer private-token-number-one'])
    await expectNoRequest()
  })

  test('a client that is forgotten then joins what the page before had joined', async () => {
    const storage = new TabStorage()
    const before = await openConnected(storage)
    await join(before, 'one', 'two')
    // As a crash would leave it: it is written down with each join.
    const left = storage.copy()
    before.channel.unsubscribe()
    const after = openPage(null, { storage: left })
    after.channel.subscribe()
    await forget(await theServer().next())
    for (const name of ['one', 'two']) {
      const { request, join } = await nextGroups()
      expect(join).toEqual([name])
      request.json({ groups: [] })
    }
    await firstPoll()
  })

  test('and with a token of another client, nothing is joined', async () => {
    const storage = new TabStorage()
    const options = { storage, transports: ['long-polling'] as const }
    const before = openPage(() => TOKEN, options)
    before.channel.subscribe()
    await connect()
    await join(before, 'room')
    before.channel.unsubscribe()
    let calls = 0
    const after = openPage(() => `another-private-token-${++calls}`, options)
    after.channel.subscribe()
    ;(await connect()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    const poll = await theServer().next()
    expect([poll.url, calls]).toEqual(['/comet', 2])
  })

  test.each([{ groups: 'room' }, { groups: 7 }])(
    'what is stored and is not ours counts as none: %j',
    async (state) => {
      const storage = new TabStorage()
      const before = await openConnected(storage)
      before.channel.unsubscribe()
      const [key, text] = [...storage.items][0]!
      storage.setItem(key, JSON.stringify({ ...JSON.parse(text), ...state }))
      openPage(null, { storage }).channel.subscribe()
      expect((await theServer().next()).url).toBe('/comet/register')
    },
  )
})

describe('getClients()', () => {
  const answer = {
    clients: [{ publicToken: 'public-1', displayName: 'Ada', data: { color: 'red' } }],
    counts: { clients: 1, users: 1 },
    asOf: 12,
  }

  test('gives who is in a group', async () => {
    const { channel } = await openConnected()
    const clients = channel.getClients('Räume & Türen')
    const request = await theServer().next()
    expect(request.method).toBe('GET')
    expect(new URL(request.url, theServer().url).pathname).toBe('/comet/clients')
    expect(new URL(request.url, theServer().url).searchParams.get('group')).toBe('Räume & Türen')
    expect(request.headers.authorization).toBe('Bearer private-token-number-one')
    request.json(answer)
    expect(await clients).toEqual(answer)
  })

  test('keeps the query of the address, and asks for all without a group', async () => {
    const { channel } = openPage(TOKEN, {}, '?tenant=7')
    const clients = channel.getClients()
    const request = await theServer().next()
    expect(request.url).toBe('/comet/clients?tenant=7')
    request.json(answer)
    await clients
  })

  test('does not wait for a handler that is slow', async () => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1)
    const slow = await nextSent()
    const clients = channel.getClients('room')
    ;(await theServer().next()).json(answer)
    expect(await clients).toEqual(answer)
    slow.request.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('waits for a token, and is repeated until it is answered', async () => {
    withoutJitter()
    const { channel } = openPage(null)
    const clients = channel.getClients('room')
    channel.subscribe()
    ;(await theServer().next()).registered()
    const requests = [await theServer().next(), await theServer().next()]
    requests.find(({ url }) => url !== '/comet')!.drop()
    ;(await theServer().next()).json({ lacks: 'everything' })
    ;(await theServer().next()).json(answer)
    expect(await clients).toEqual(answer)
  })

  test.each([
    [403, 'COMET_ACCESS_IS_DENIED'],
    [404, 'COMET_NOT_FOUND'],
  ])('is rejected with what the server refuses with: %i %s', async (status, code) => {
    const { channel } = await openConnected()
    const refused = outcome(channel.getClients('room'))
    ;(await theServer().next()).error(status, code)
    expect(await refused).toBe(code)
  })
})

describe('notices of presence', () => {
  const client = { publicToken: 'public-2', displayName: 'Bob', data: null }

  test('are handed out as messages are: in order, each once, and move the cursor', async () => {
    const { channel, poll, until, seen } = await openConnected()
    const told: unknown[] = []
    channel.on('aspNetComet.join', (contents, { mid }) => told.push(['join', contents, mid]))
    channel.on('aspNetComet.leave', ({ group }) => told.push(['leave', group]))
    channel.on('aspNetComet.update', ({ client: { displayName } }) => told.push(['update', displayName]))
    const join = { mid: 11, n: 'aspNetComet.join', c: { group: 'room', client } }
    const update = { mid: 12, n: 'aspNetComet.update', c: { client: { ...client, displayName: 'Bobby' } } }
    poll.messages('e1:12', [join, update])
    const next = await theServer().next()
    expect(next.headers['last-event-id']).toBe('e1:12')
    next.messages('e1:13', [update, { mid: 13, n: 'aspNetComet.leave', c: { group: 'room', client } }])
    await until('message:13')
    expect(told).toEqual([
      ['join', { group: 'room', client }, 11],
      ['update', 'Bobby'],
      ['leave', 'room'],
    ])
    expect(seen.filter((each) => each.startsWith('message'))).toEqual([
      'message:11',
      'message:12',
      'message:13',
    ])
  })

  test.each(['aspNetComet.joined', 'aspNetComet.x.join', 'aspNetComet.'])(
    'other reserved names are ignored still: %s',
    async (n) => {
      const { poll, seen } = await openConnected()
      poll.messages('e1:11', [{ mid: 11, n, c: null }])
      await theServer().next()
      expect(seen).toEqual(['state:connecting', 'state:connected'])
    },
  )
})

test('what an error knows beside its code is there for who refuses and who is refused', async () => {
  const { channel } = await openConnected()
  const refused = channel.joinGroup('room').catch((error: unknown) => error as CometError)
  ;(await nextGroups()).request.error(422, 'ROOM_IS_FULL', {}, { most: 8 })
  expect(await refused).toMatchObject({ code: 'ROOM_IS_FULL', details: { most: 8 }, willRetry: false })
})
