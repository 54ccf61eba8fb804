import { describe, expect, test } from '@jest/globals'
import { CometChannel } from '../../client/index.ts'
import {
  connect,
  expectNoRequest,
  message,
  openPage,
  openSilentPage,
  TabStorage,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import { beacons, fire, firstRequestIn, openRegistered, useTab } from './tab.ts'

useServer()
useTab()

describe('a reload', () => {
  test('goes on as the same client, from the last message whose handlers ran', async () => {
    const storage = new TabStorage()
    const { poll } = await openRegistered(storage)
    poll.messages('e1:12', [message(11), message(12)])
    await theServer().next()
    fire('pagehide')
    const { channel, request, seen } = await firstRequestIn(storage)
    expect(request.url).toBe('/comet')
    expect(request.headers.authorization).toBe('Bearer private-token-number-one')
    expect(request.headers['last-event-id']).toBe('e1:12')
    expect(request.headers['comet-page']).toMatch(/;new$/)
    expect(request.headers['comet-page']).not.toContain(poll.headers['comet-page'])
    expect(channel).toMatchObject({ publicToken: 'public-1', displayName: 'Ada', cursor: 'e1:12' })
    request.timeout('e1:12')
    await theServer().next()
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('gets again what no handler had taken', async () => {
    const storage = new TabStorage()
    const silent = openSilentPage(null, { storage })
    silent.channel.subscribe()
    ;(await theServer().next()).registered()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await silent.until('state:connected')
    fire('pagehide')
    const { request } = await firstRequestIn(storage)
    expect(request.headers['last-event-id']).toBe('e1:10')
  })

  test('gets again what the body of a loop had not dealt with', async () => {
    const storage = new TabStorage()
    const { channel } = openSilentPage(TOKEN, { storage })
    channel.subscribe()
    const iterator = channel[Symbol.asyncIterator]()
    const first = iterator.next()
    ;(await connect()).messages('e1:11', [message(11)])
    await first
    fire('pagehide')
    const { request } = await firstRequestIn(storage, TOKEN)
    expect(request.headers['last-event-id']).toBe('e1:10')
  })

  test('that finds its client forgotten registers anew at once, and tells reset', async () => {
    const storage = new TabStorage()
    await openRegistered(storage)
    fire('pagehide')
    const { request, seen } = await firstRequestIn(storage)
    request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:1' })
    ;(await theServer().next()).timeout('e2:1')
    await theServer().next()
    expect(seen).toEqual(['state:connecting', 'state:connected', 'reset:forgotten'])
  })

  test('after a crash goes on too: no page answers for what is stored', async () => {
    const storage = new TabStorage()
    const { channel } = await openRegistered(storage)
    const left = storage.copy()
    channel.unsubscribe()
    const { request } = await firstRequestIn(left)
    expect(request.url).toBe('/comet')
    expect(request.headers['last-event-id']).toBe('e1:10')
  })

  test('without BroadcastChannel goes on', async () => {
    const storage = new TabStorage()
    await openRegistered(storage)
    const { BroadcastChannel } = globalThis
    Reflect.deleteProperty(globalThis, 'BroadcastChannel')
    try {
      const { request } = await firstRequestIn(storage.copy())
      expect(request.url).toBe('/comet')
    } finally {
      globalThis.BroadcastChannel = BroadcastChannel
    }
  })

  test.each([
    ['the same string', TOKEN, 'e1:11'],
    ['another string', 'another-private-token-99', undefined],
    ['a function that gives the same', () => TOKEN, 'e1:11'],
    ['a function that gives another', () => 'another-private-token-99', undefined],
  ])(
    'with %s for a token uses the stored cursor only if it belongs to the token',
    async (_what, token, cursor) => {
      const storage = new TabStorage()
      const { channel } = openPage(TOKEN, { storage })
      channel.subscribe()
      ;(await connect()).messages('e1:11', [message(11)])
      await theServer().next()
      fire('pagehide')
      const { request } = await firstRequestIn(storage, token)
      expect(request.headers['last-event-id']).toBe(cursor)
    },
  )

  test('hands the function the token that was kept: only the app knows whose it is', async () => {
    const storage = new TabStorage()
    const { channel } = openPage(() => TOKEN, { storage })
    channel.subscribe()
    ;(await connect()).messages('e1:11', [message(11)])
    await theServer().next()
    fire('pagehide')
    const { request } = await firstRequestIn(storage, (kept) => kept ?? 'another-private-token-99')
    expect(request.headers.authorization).toBe(`Bearer ${TOKEN}`)
    expect(request.headers['last-event-id']).toBe('e1:11')
  })

  test('after unsubscribe() goes on without asking other pages', async () => {
    const storage = new TabStorage()
    const { channel } = await openRegistered(storage)
    channel.unsubscribe()
    expect([...storage.items.values()].map((kept) => JSON.parse(kept))).toMatchObject([{ released: true }])
    const opened: string[] = []
    const { BroadcastChannel } = globalThis
    globalThis.BroadcastChannel = class extends BroadcastChannel {
      constructor(name: string) {
        super(name)
        opened.push(name)
      }
    }
    try {
      const { request } = await firstRequestIn(storage)
      expect(request.url).toBe('/comet')
      const page = `${request.headers['comet-page']}`.replace(';new', '')
      expect(opened).toEqual([`koa-comet ${page}`])
    } finally {
      globalThis.BroadcastChannel = BroadcastChannel
    }
  })

  test('does not find what belongs to another URL or alias', async () => {
    const storage = new TabStorage()
    const { channel } = await openRegistered(storage)
    channel.unsubscribe()
    openPage(null, { storage }, '?other').channel.subscribe()
    expect((await theServer().next()).url).toBe('/comet/register?other')
    const otherAlias = new CometChannel(theServer().url, null, 'other', { storage })
    otherAlias.subscribe()
    expect((await theServer().next()).url).toBe('/comet/register')
    otherAlias.unsubscribe()
    expect((await firstRequestIn(storage)).request.url).toBe('/comet')
  })

  test('that another tab does at the same time is not taken for a living page', async () => {
    const storage = new TabStorage()
    const { channel } = await openRegistered(storage)
    const copies = [storage.copy(), storage.copy()]
    channel.unsubscribe()
    for (const copy of copies) openPage(null, { storage: copy }).channel.subscribe()
    const requests = [await theServer().next(), await theServer().next()]
    expect(requests.map(({ url }) => url)).toEqual(['/comet', '/comet'])
  })

  test.each([
    '',
    'null',
    '{',
    '[]',
    '"x"',
    '{"token":7}',
    '{"token":"with space","cursor":"e1:1"}',
    '{"token":"x","cursor":"no\\ncursor"}',
  ])('ignores a stored %j', async (corrupt) => {
    const storage = new TabStorage()
    const { channel } = await openRegistered(storage)
    channel.unsubscribe()
    for (const key of storage.items.keys()) storage.setItem(key, corrupt)
    expect((await firstRequestIn(storage)).request.url).toBe('/comet/register')
  })

  test('is survived by a page whose storage throws', async () => {
    const broken = () => {
      throw new Error('QuotaExceededError')
    }
    const storage = { getItem: broken, setItem: broken, removeItem: broken }
    const { channel, failures } = openPage(null, { storage })
    channel.subscribe()
    ;(await theServer().next()).registered()
    ;(await connect()).messages('e1:11', [message(11)])
    ;(await theServer().next()).error(403, 'COMET_CLIENT_IS_STOPPED')
    await new Promise((resolve) => channel.addEventListener('error', resolve))
    expect(failures.map(({ code }) => code)).toEqual(['COMET_CLIENT_IS_STOPPED'])
  })

  test('uses sessionStorage by default, and survives that looking at it throws', async () => {
    const storage = new TabStorage()
    Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, get: () => storage })
    await openRegistered(storage, { storage: undefined })
    expect(storage.items.size).toBe(1)
    Object.defineProperty(globalThis, 'sessionStorage', {
      configurable: true,
      get() {
        throw new Error('SecurityError')
      },
    })
    const { channel } = openPage(TOKEN, { storage: undefined })
    channel.subscribe()
    await theServer().next()
    Reflect.deleteProperty(globalThis, 'sessionStorage')
  })

  test('finds nothing after leave(), a stop by the app, or a dead token', async () => {
    for (const code of ['COMET_CLIENT_IS_STOPPED', 'COMET_TOKEN_IS_UNKNOWN']) {
      const storage = new TabStorage()
      const { channel, until } = openPage(TOKEN, { storage })
      channel.subscribe()
      const poll = await connect()
      expect(storage.items.size).toBe(1)
      poll.error(403, code)
      await until(`failure:${code}:false`)
      expect(storage.items.size).toBe(0)
    }
    const storage = new TabStorage()
    const { channel } = await openRegistered(storage)
    void channel.leave()
    expect(storage.items.size).toBe(0)
  })

  test('finds what a replaced page had stored: being replaced does not touch it', async () => {
    const storage = new TabStorage()
    const { poll, until } = await openRegistered(storage)
    const before = [...storage.items]
    poll.messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: null }])
    await until('failure:COMET_REPLACED:false')
    expect([...storage.items]).toEqual(before)
  })
})

describe('a duplicated tab', () => {
  test('that registered itself becomes a new client, which is no reset', async () => {
    const storage = new TabStorage()
    const original = await openRegistered(storage)
    const duplicate = await firstRequestIn(storage.copy())
    expect(duplicate.request.url).toBe('/comet/register')
    duplicate.request.registered({ privateToken: 'private-token-number-two' })
    const first = await theServer().next()
    expect(first.headers.authorization).toBe('Bearer private-token-number-two')
    first.timeout('e1:10')
    await theServer().next()
    expect(duplicate.seen).toEqual(['state:connecting', 'state:connected'])
    expect(original.poll.isOpen).toBe(true)
  })

  test('with a given token takes the client over', async () => {
    const storage = new TabStorage()
    const { channel } = openPage(TOKEN, { storage })
    channel.subscribe()
    await connect()
    const { request } = await firstRequestIn(storage.copy(), TOKEN)
    expect(request.url).toBe('/comet')
    expect(request.headers['comet-page']).toMatch(/;new$/)
    expect(request.headers['last-event-id']).toBe('e1:10')
  })

  test('that is stopped while it asks does not take the answer for no', async () => {
    const storage = new TabStorage()
    await openRegistered(storage)
    const { channel } = openPage(null, { storage: storage.copy() })
    channel.subscribe()
    channel.unsubscribe()
    await expectNoRequest()
    channel.subscribe()
    expect((await theServer().next()).url).toBe('/comet/register')
  })

  test('that is stopped when it has its answer registers nothing', async () => {
    const storage = new TabStorage()
    await openRegistered(storage)
    const { page } = JSON.parse([...storage.items.values()][0]!)
    const overheard = new BroadcastChannel(`koa-comet ${page}`)
    try {
      const { channel } = openPage(null, { storage: storage.copy() })
      channel.subscribe()
      await new Promise<void>((resolve) => {
        overheard.onmessage = ({ data }) => data === 'living' && resolve()
      })
      // The page hears it in the same turn, or in one of the next.
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
      channel.unsubscribe()
      await expectNoRequest()
    } finally {
      overheard.close()
    }
  })

  test('asks again if its first registration fails', async () => {
    withoutJitter()
    const storage = new TabStorage()
    await openRegistered(storage)
    const { request } = await firstRequestIn(storage.copy())
    request.error(503, 'COMET_TOO_MANY_CLIENTS')
    expect((await theServer().next()).url).toBe('/comet/register')
  })
})

describe('a page that goes away', () => {
  test('for good says goodbye by a beacon, if it can get a new token by itself', async () => {
    const { poll } = await openRegistered(new TabStorage())
    fire('pagehide')
    const body = new URLSearchParams({
      privateToken: 'private-token-number-one',
      page: poll.headers['comet-page'] as string,
    })
    expect(beacons).toEqual([[`${theServer().url}/goodbye`, `${body}`]])
    await poll.closed()
    await expectNoRequest()
  })

  test('for good says nothing with a token that is a given string', async () => {
    openPage(TOKEN).channel.subscribe()
    await connect()
    fire('pagehide')
    expect(beacons).toEqual([])
  })

  test('into the back/forward cache says nothing, lets its poll go, and takes its client back when it returns', async () => {
    const storage = new TabStorage()
    const { channel, poll } = await openRegistered(storage)
    fire('pagehide', true)
    expect(beacons).toEqual([])
    expect(channel.state).toBe('reconnecting')
    await poll.closed()
    await expectNoRequest()
    expect([...storage.items.values()].map((kept) => JSON.parse(kept))).toMatchObject([{ released: true }])
    fire('pageshow', true)
    const again = await theServer().next()
    expect(again.headers['comet-page']).toBe(`${poll.headers['comet-page']};new`)
    expect(again.headers['last-event-id']).toBe('e1:10')
    expect(again.headers.prefer).toBe('wait=0')
    expect(JSON.parse([...storage.items.values()][0]!)).not.toHaveProperty('released')
    expect((await firstRequestIn(storage.copy())).request.url).toBe('/comet/register')
  })

  test('and was shown for the first time does nothing by that', async () => {
    openPage(TOKEN).channel.subscribe()
    const poll = await connect()
    fire('pageshow', false)
    await expectNoRequest()
    expect(poll.isOpen).toBe(true)
  })
})

describe('a network that comes back', () => {
  test('ends a held poll, and the page asks at once', async () => {
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    fire('online')
    await poll.closed()
    const again = await theServer().next()
    expect(again.headers.prefer).toBe('wait=0')
    expect(theServer().open).toEqual([again])
  })

  test('ends a back-off', async () => {
    const { channel, until } = openPage(TOKEN)
    channel.subscribe()
    ;(await connect()).error(503, 'COMET_QUEUE_IS_FULL', { 'Retry-After': '3600' })
    await until('failure:COMET_QUEUE_IS_FULL:true')
    fire('online')
    await theServer().next()
  })

  test('is nothing to a page that has unsubscribed', async () => {
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    await connect()
    channel.unsubscribe()
    for (const type of ['online', 'pagehide', 'pageshow'] as const) fire(type, true)
    await expectNoRequest()
    expect(channel.state).toBe('disconnected')
  })
})
