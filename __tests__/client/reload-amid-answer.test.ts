import { describe, expect, jest, test } from '@jest/globals'
import type { CometChannel } from '../../client/index.ts'
import {
  connect,
  message,
  openPage,
  openSilentPage,
  type Page,
  TabStorage,
  TOKEN,
  theServer,
  useServer,
} from './harness.ts'
import { fire, firstRequestIn, useTab } from './tab.ts'

useServer()
useTab()

/** A page whose loop has dealt with message 11, is busy with 12, and has yet to ask for 13: all of one answer. */
async function openBusyWith12(storage: TabStorage): Promise<Page> {
  const page = openPage(TOKEN, { storage })
  page.channel.subscribe()
  const loop = page.channel[Symbol.asyncIterator]()
  const first = loop.next()
  ;(await connect()).messages('e1:13', [message(11), message(12), message(13)])
  await first
  await loop.next()
  return page
}

describe('a reload in the middle of an answer', () => {
  test('goes on behind the last message that loops and handlers have dealt with', async () => {
    const storage = new TabStorage()
    const before = await openBusyWith12(storage)
    expect(before.messages.map(({ mid }) => mid)).toEqual([11, 12])
    fire('pagehide')
    const { request } = await firstRequestIn(storage, TOKEN)
    expect(request.headers['last-event-id']).toBe('e1:11')
  })

  test('gets again what waits for somebody to listen, and only that', async () => {
    const storage = new TabStorage()
    const { channel } = openSilentPage(TOKEN, { storage })
    const handled = new Promise<void>((resolve) => {
      const off = channel.on('News', () => {
        off()
        resolve()
      })
    })
    channel.subscribe()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await handled
    fire('pagehide')
    const { request } = await firstRequestIn(storage, TOKEN)
    expect(request.headers['last-event-id']).toBe('e1:11')
  })

  test('of a page that came back from the back/forward cache, and is still busy, goes on there too', async () => {
    const storage = new TabStorage()
    const before = await openBusyWith12(storage)
    fire('pagehide', true)
    fire('pageshow', true)
    expect(before.channel.cursor).toBe('e1:12')
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:11')
    fire('pagehide')
    const { request } = await firstRequestIn(storage, TOKEN)
    expect(request.headers['last-event-id']).toBe('e1:11')
  })

  test('costs no write for each message: what is kept is written once for an answer', async () => {
    const storage = new TabStorage()
    const write = jest.spyOn(storage, 'setItem')
    openPage(TOKEN, { storage }).channel.subscribe()
    const poll = await connect()
    write.mockClear()
    poll.messages('e1:13', [message(11), message(12), message(13)])
    await theServer().next()
    expect(write).toHaveBeenCalledTimes(1)
  })
})

describe('a reload of a page that was paused in the middle of an answer', () => {
  test('gets again what a loop was busy with', async () => {
    const storage = new TabStorage()
    const before = await openBusyWith12(storage)
    before.channel.unsubscribe()
    expect(before.channel.cursor).toBe('e1:12')
    const { request } = await firstRequestIn(storage, TOKEN)
    expect(request.headers['last-event-id']).toBe('e1:11')
  })

  test.each<[string, (channel: CometChannel) => unknown, string]>([
    ['not again to handlers, of which one has paused it', () => {}, 'e1:11'],
    ['again if a loop had just got it', (channel) => channel[Symbol.asyncIterator]().next(), 'e1:10'],
  ])('gets a message %s', async (_what, listen, cursor) => {
    const storage = new TabStorage()
    const { channel, messages, until } = openPage(TOKEN, { storage })
    listen(channel)
    channel.on('News', () => channel.unsubscribe())
    channel.subscribe()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await until('state:disconnected')
    expect(messages.map(({ mid }) => mid)).toEqual([11])
    const { request } = await firstRequestIn(storage, TOKEN)
    expect(request.headers['last-event-id']).toBe(cursor)
  })
})
