import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'
import { openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

overEachTransport(({ glance, transport }) => {
  describe('An audience', () => {
    test('is the union of its addresses, and each of it gets a message once', async () => {
      const { channel, newClient, url } = await openSite()
      const clients = [
        await newClient({ publicToken: 'ann', userId: 'u1', sessionId: 's1', groups: ['a', 'b'] }),
        await newClient({ publicToken: 'bob', userId: 'u1', sessionId: 's2', groups: ['b'] }),
        await newClient({ publicToken: 'cid', userId: 'u2', sessionId: 's2' }),
        await newClient({ publicToken: 'dan' }),
      ]
      const pages = clients.map((client) => new TestPage(transport, client))
      const sends = [
        { to: 'ann' },
        { to: ['ann', 'dan', 'nobody'] },
        { group: 'b' },
        { group: ['a', 'b'], to: 'ann' },
        { user: 'u1' },
        { session: ['s2'] },
        { user: ['u1', 'u2'], session: 's1', group: 'a', to: 'dan' },
        { user: 'u1', except: 'bob' },
        { except: ['ann', 'dan'] },
        { group: [] },
        { user: 'nobody', session: 'nobody', group: 'nobody' },
      ]
      for (const [index, options] of sends.entries()) await channel.sendMessage('M', index, options)
      for (const page of pages) await page.glance(url)
      expect(pages.map(({ contents }) => contents)).toEqual([
        [0, 1, 2, 3, 4, 6, 7],
        [2, 3, 4, 5, 6, 8],
        [5, 6, 8],
        [1, 6],
      ])
    })

    test('of a user or a session has nothing of before its client was there, whatever cursor it claims', async () => {
      const { channel, newClient, url } = await openSite()
      await channel.open()
      const from = channel.cursor()
      await channel.sendMessage('M', 'earlier', { user: 'u', session: 's', to: ['x'] })
      const page = new TestPage(transport, await newClient({ userId: 'u', sessionId: 's', from }))
      page.cursor = `${from.epoch}:${from.messageId}`
      await page.glance(url)
      expect(page.contents).toEqual([])
    })
  })

  describe('Stopping an audience', () => {
    test('ends all of it at once, on any node, held or not, and nobody else', async () => {
      const { lagging: one, current: two } = await openTwoNodes()
      const hit = [
        await one.newClient({ groups: ['room'] }),
        await two.newClient({ groups: ['room'] }),
        await two.newClient({ userId: 'ann' }),
      ]
      const spared = await one.newClient({ groups: ['room'] })
      const other = await one.newClient({ groups: ['hall'] })
      const pages = hit.map((client) => new TestPage(transport, client))
      await pages[0]!.visit(one.url)
      const held = pages[1]!.next(two.url)
      await two.holds(1)
      const stopped = await two.channel.stopClient({
        group: 'room',
        user: 'ann',
        except: spared.publicToken,
      })
      expect(stopped).toBe(3)
      await held
      for (const { privateToken } of hit) {
        for (const { url } of [one, two]) expect((await glance(url, privateToken)).status).toBe(403)
      }
      for (const { privateToken } of [spared, other]) {
        expect((await glance(one.url, privateToken)).status).toBe(200)
      }
    })

    test('hits who joined before on another node, and not who joins after it', async () => {
      const { lagging: one, current: two } = await openTwoNodes()
      const [before, after] = [await one.newClient(), await one.newClient()]
      await one.channel.joinGroup(before.publicToken, 'room')
      await two.channel.stopClient({ group: 'room' })
      await one.channel.joinGroup(after.publicToken, 'room')
      expect((await glance(two.url, before.privateToken)).status).toBe(403)
      expect((await glance(two.url, after.privateToken)).status).toBe(200)
    })
  })
})

describe('Without an address', () => {
  test('stopping is refused: an option that is missing by mistake must not end everybody', async () => {
    const { channel, newClient } = await openSite()
    await newClient()
    await expect(channel.stopClient({})).rejects.toThrow(TypeError)
    await expect(channel.stopClient({ group: undefined } as never)).rejects.toThrow(TypeError)
    await expect(channel.stopClient({ rooms: 'a' } as never)).rejects.toThrow(/not the key 'rooms'/)
    expect(await channel.countClients()).toEqual({ clients: 1, users: 0 })
    expect(await channel.stopClient({ except: [] })).toBe(1)
  })
})

test('Clients are listed and counted by audience, with users among them', async () => {
  const { channel, newClient } = await openSite()
  await newClient({ publicToken: 'a', userId: 'ann', sessionId: 's', groups: ['room'] })
  await newClient({ publicToken: 'b', userId: 'ann', groups: ['room'] })
  await newClient({ publicToken: 'c', userId: 'bob', sessionId: 's' })
  await newClient({ publicToken: 'd', groups: ['room'] })
  const tokens = async (audience?: object) => {
    const found: string[] = []
    for await (const { publicToken } of channel.getClients(audience)) found.push(publicToken)
    return found.toSorted().join('')
  }
  expect(await tokens()).toBe('abcd')
  expect(await tokens({ group: 'room' })).toBe('abd')
  expect(await tokens({ group: 'room', user: 'bob' })).toBe('abcd')
  expect(await tokens({ user: 'ann', except: 'a' })).toBe('b')
  expect(await tokens({ session: 's' })).toBe('ac')
  expect(await tokens({ to: ['d', 'x'] })).toBe('d')
  expect(await channel.countClients({ group: 'room' })).toEqual({ clients: 3, users: 1 })
  expect(await channel.countClients()).toEqual({ clients: 4, users: 2 })
})

test('Promise 8: a user has so many clients at once, and no more', async () => {
  const { channel, newClient } = await openSite({ options: { maxClientsPerUser: 2 } })
  await newClient({ publicToken: 'a', userId: 'ann' })
  await newClient({ publicToken: 'b', userId: 'ann' })
  await expect(newClient({ userId: 'ann' })).rejects.toMatchObject({
    code: 'COMET_USER_HAS_TOO_MANY_CLIENTS',
    status: 429,
  })
  await newClient({ userId: 'bob' })
  await newClient({})
  await channel.stopClient('a')
  await newClient({ userId: 'ann' })
})
