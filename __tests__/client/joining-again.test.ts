import { describe, expect, test } from '@jest/globals'
import { CometChannel } from '../../client/index.ts'
import { closeSites, openSite } from '../support/site.ts'
import {
  connect,
  connectRegistered,
  expectNoRequest,
  nextGroups,
  nextSent,
  openPage,
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

/** The next request, which has to join just these groups. */
async function nextJoin(...names: string[]): Promise<Received> {
  const { request, join, leave } = await nextGroups()
  expect([join, leave]).toEqual([names, []])
  return request
}

describe('a page that had to initialise anew', () => {
  test('joins again what it had joined, before it is told of the reset, and before it sends', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two', 'three')
    const left = page.channel.leaveGroup('two')
    ;(await nextGroups()).request.json({ groups: ['one', 'three'] })
    await left
    await forget(page.poll)
    const sent: Promise<unknown>[] = []
    const request = await nextJoin('one', 'three')
    expect(request.headers.authorization).toBe('Bearer private-token-number-two')
    sent.push(page.channel.send('Say', 'one'), page.channel.send('Say', 'two'))
    await expectNoRequest()
    request.json({ groups: ['one', 'three'] })
    const requests = [await theServer().next(), await theServer().next()]
    expect(page.seen).not.toContain('reset:forgotten')
    requests.find(({ url }) => url === '/comet/send')!.json({ c: 'first' })
    ;(await nextSent()).request.json({ c: 'second' })
    expect(await Promise.all(sent)).toEqual(['first', 'second'])
    requests.find(({ url }) => url === '/comet')!.timeout('e2:5')
    await page.until('reset:forgotten')
  })

  test('names at most 100 with one request', async () => {
    const page = await openConnected()
    const names = Array.from({ length: 201 }, (_, number) => `room ${number}`)
    await join(page, ...names)
    await forget(page.poll)
    for (const some of [names.slice(0, 100), names.slice(100, 200), names.slice(200)])
      (await nextJoin(...some)).json({ groups: [] })
    await firstPoll()
  })

  test('joins them in spite of drops, and of a server that is busy or wants it slower', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two')
    await forget(page.poll)
    ;(await nextJoin('one', 'two')).drop()
    ;(await nextJoin('one', 'two')).error(503, 'COMET_CHANNEL_IS_BUSY')
    ;(await nextJoin('one', 'two')).error(429, 'COMET_TOO_MANY_REQUESTS', { 'Retry-After': '1' })
    ;(await nextJoin('one', 'two')).json({ groups: ['one', 'two'] })
    ;(await firstPoll()).timeout('e2:5')
    await page.until('reset:forgotten')
  })

  test.each([
    [403, 'COMET_GROUP_IS_REFUSED'],
    [409, 'COMET_CLIENT_HAS_TOO_MANY_GROUPS'],
    [400, 'COMET_PARAMETERS_ARE_INVALID'],
    [422, 'INVITE_TOKEN_IS_UNKNOWN'],
  ])(
    'and is refused, asks for one group at a time, and gives up just that which refuses: %i %s',
    async (status, code) => {
      const page = await openConnected()
      await join(page, 'one', 'two', 'three')
      await forget(page.poll)
      ;(await nextJoin('one', 'two', 'three')).error(status, code)
      ;(await nextJoin('one')).json({ groups: ['one'] })
      ;(await nextJoin('two')).error(status, code)
      ;(await nextJoin('three')).json({ groups: ['one', 'three'] })
      const poll = await firstPoll()
      expect(page.failures).toMatchObject([
        { code: 'COMET_TOKEN_IS_UNKNOWN' },
        { code, status, willRetry: true },
      ])
      // The next client may be welcome: one request again.
      await forget(poll)
      ;(await nextJoin('one', 'three')).json({ groups: ['one', 'three'] })
      await firstPoll()
    },
  )

  const SETBACKS: [string, (request: Received) => void][] = [
    [
      'it is to be slower',
      (request) => request.error(429, 'COMET_TOO_MANY_REQUESTS', { 'Retry-After': '1' }),
    ],
    ['its connection drops', (request) => request.drop()],
  ]
  test.each(SETBACKS)('and asks for one at a time, goes on where it was when %s', async (_what, fail) => {
    const page = await openConnected()
    await join(page, 'one', 'two', 'three')
    await forget(page.poll)
    ;(await nextJoin('one', 'two', 'three')).error(403, 'COMET_GROUP_IS_REFUSED')
    ;(await nextJoin('one')).json({ groups: ['one'] })
    fail(await nextJoin('two'))
    ;(await nextJoin('two')).json({ groups: ['one', 'two'] })
    fail(await nextJoin('three'))
    ;(await nextJoin('three')).json({ groups: ['one', 'two', 'three'] })
    await firstPoll()
  })

  test('and is paused amid that, goes on where it was', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two')
    await forget(page.poll)
    ;(await nextJoin('one', 'two')).error(403, 'COMET_GROUP_IS_REFUSED')
    ;(await nextJoin('one')).json({ groups: ['one'] })
    const request = await nextJoin('two')
    page.channel.unsubscribe()
    await request.closed()
    page.channel.subscribe()
    ;(await nextJoin('two')).json({ groups: ['one', 'two'] })
    await firstPoll()
  })

  test('and is forgotten once more before it has joined them, joins them all as the third client', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two')
    await forget(page.poll)
    ;(await nextJoin('one', 'two')).error(403, 'COMET_GROUP_IS_REFUSED')
    ;(await nextJoin('one')).json({ groups: ['one'] })
    await forget(await nextJoin('two'))
    ;(await nextJoin('one', 'two')).json({ groups: ['one', 'two'] })
    await firstPoll()
  })

  test('where no page may join any more, gives up all groups, is told once, and goes on', async () => {
    const page = await openConnected()
    await join(page, 'one', 'two', 'three')
    await forget(page.poll)
    ;(await nextJoin('one', 'two', 'three')).error(404, 'COMET_NOT_OFFERED')
    const poll = await firstPoll()
    const told = [{ code: 'COMET_TOKEN_IS_UNKNOWN' }, { code: 'COMET_NOT_OFFERED', willRetry: true }]
    expect(page.failures).toMatchObject(told)
    const sent = page.channel.send('Say', 1)
    ;(await nextSent()).request.json({ c: 'done' })
    expect(await sent).toBe('done')
    await forget(poll)
    await firstPoll()
  })

  test('does not join what it has left, however the name was spelled', async () => {
    const page = await openConnected()
    await join(page, 'caf\u00e9')
    const left = page.channel.leaveGroup('cafe\u0301')
    ;(await nextGroups()).request.json({ groups: [] })
    await left
    await forget(page.poll)
    await firstPoll()
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
    ;(await nextJoin('one', 'two')).json({ groups: [] })
    await firstPoll()
  })

  test('before the client is a member again, the page begins anew: it would miss its groups without a word', async () => {
    const storage = new TabStorage()
    const before = await openConnected(storage)
    await join(before, 'one')
    await forget(before.poll)
    await nextJoin('one')
    before.channel.unsubscribe()
    openPage(null, { storage }).channel.subscribe()
    expect((await theServer().next()).url).toBe('/comet/register')
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

test('a real server that lets a page make no more requests than it has groups has it in all of them again', async () => {
  const options = { register: () => ({}), joinable: () => true, maxRequestsPerSecond: 2 }
  const site = await openSite({ options })
  const page = new CometChannel(site.url, null, 'default', { storage: null, transports: ['long-polling'] })
  try {
    page.addSuccessHandler(() => {})
    page.subscribe()
    const names = Array.from({ length: 12 }, (_, number) => `room ${number}`)
    for (const name of names) await page.joinGroup(name)
    const isReset = new Promise((resolve) => page.addEventListener('reset', resolve))
    await site.channel.killIdleCometClient(page.privateToken!)
    await isReset
    const groups: string[] = []
    for await (const client of site.channel.getClients()) groups.push(...client.groups)
    expect(groups.sort()).toEqual(names.sort())
  } finally {
    await page.leave()
    await closeSites()
  }
}, 20_000)
