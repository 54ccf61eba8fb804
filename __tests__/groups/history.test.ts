import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

describe('What is retained', () => {
  test('is given by group, or as sent to everybody, the newest of it, in order', async () => {
    const { channel, newClient } = await openSite({ options: { presence: true } })
    const { publicToken } = await newClient({ groups: ['room'] })
    for (const index of [1, 2, 3]) {
      await channel.sendMessage('Talk', { index }, { group: 'room' })
      await channel.sendMessage('News', index)
      await channel.sendMessage('Private', index, { to: publicToken })
    }
    const contentsOf = (options?: object) => channel.getMessages(options).map(({ contents }) => contents)
    expect(contentsOf({ group: 'room' })).toEqual([{ index: 1 }, { index: 2 }, { index: 3 }])
    expect(contentsOf({ group: 'room', limit: 2 })).toEqual([{ index: 2 }, { index: 3 }])
    expect(contentsOf()).toEqual([1, 2, 3])
    expect(contentsOf({ group: 'nowhere' })).toEqual([])
    expect(channel.getMessages({ group: 'room', limit: 1 })[0]).toMatchObject({ name: 'Talk' })
  })

  test('is without what was sent except to whom it is for', async () => {
    const { channel, newClient } = await openSite()
    const { publicToken } = await newClient({ groups: ['room'] })
    await channel.sendMessage('M', 1, { group: 'room' })
    await channel.sendMessage('M', 'about you', { group: 'room', except: publicToken })
    const contentsOf = (options: object) => channel.getMessages(options).map(({ contents }) => contents)
    expect(contentsOf({ group: 'room', for: publicToken })).toEqual([1])
    expect(contentsOf({ group: 'room', for: 'another' })).toEqual([1, 'about you'])
  })

  test('is 100 of them by default, and no more than the retention keeps', async () => {
    const { channel } = await openSite({ options: { retention: { messages: 150 } } })
    for (let index = 0; index < 200; index++) await channel.sendMessage('M', index)
    expect(channel.getMessages()).toHaveLength(100)
    expect(channel.getMessages({ limit: 1000 }).map(({ contents }) => contents)[0]).toBe(50)
  })

  test('is asked for in one way only', async () => {
    const { channel } = await openSite()
    expect(() => channel.getMessages()).toThrow(
      expect.objectContaining({ code: 'COMET_CHANNEL_IS_NOT_OPEN' }),
    )
    await channel.open()
    for (const limit of [0, -1, 1.5, '7', Number.NaN]) {
      expect(() => channel.getMessages({ limit: limit as number })).toThrow(
        expect.objectContaining({ code: 'COMET_PARAMETERS_ARE_INVALID' }),
      )
    }
    expect(() => channel.getMessages({ room: 'a' } as never)).toThrow(TypeError)
    expect(() => channel.getMessages('room' as never)).toThrow(TypeError)
  })
})

overEachTransport(({ transport }) => {
  test('A page that the app renders misses nothing, and repeats nothing of what it shows', async () => {
    const { channel, newClient, url } = await openSite()
    await channel.open()
    const send = (contents: number) => channel.sendMessage('M', contents, { group: 'room' })
    await send(1)
    await send(2)
    const from = channel.cursor()
    const shown = channel.getMessages({ group: 'room' }).map(({ contents }) => contents)
    await send(3)
    const page = new TestPage(transport, await newClient({ groups: ['room'], from }))
    await send(4)
    await page.glance(url)
    expect([...shown, ...page.contents]).toEqual([1, 2, 3, 4])
    expect(page.resets).toEqual([])
  })

  test('Who enters a room again after a reload sees what was said, and nothing twice', async () => {
    const { channel, newClient, url } = await openSite()
    const client = await newClient({ groups: ['room'] })
    const page = new TestPage(transport, client)
    const send = (contents: number) => channel.sendMessage('M', contents, { group: 'room' })
    await send(1)
    await page.glance(url)
    await send(2)
    const joined = await channel.joinGroup(client.publicToken, 'room')
    const history = channel.getMessages({ group: 'room' }).filter(({ id }) => id <= joined)
    await send(3)
    const before = page.received.length
    await page.glance(url)
    const shown = page.received.slice(before).filter(({ mid }) => mid > joined)
    expect([...history.map(({ contents }) => contents), ...shown.map(({ c }) => c)]).toEqual([1, 2, 3])
  })

  test('Who joins a room and is given its history misses nothing between the two', async () => {
    const { channel, newClient, url } = await openSite()
    const client = await newClient()
    const page = new TestPage(transport, client)
    const sends = Array.from({ length: 50 }, (_, index) => index)
    const sending = (async () => {
      for (const index of sends) await channel.sendMessage('M', index, { group: 'room' })
    })()
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    const joined = await channel.joinGroup(client.publicToken, 'room')
    const history = channel.getMessages({ group: 'room' }).filter(({ id }) => id <= joined)
    await sending
    await page.glance(url)
    expect([...history.map(({ contents }) => contents), ...page.contents]).toEqual(sends)
    expect(history.length).toBeGreaterThan(0)
    expect(page.contents.length).toBeGreaterThan(0)
  })
})
