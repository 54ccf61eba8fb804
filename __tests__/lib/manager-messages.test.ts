import { afterEach, describe, expect, test } from '@jest/globals'
import { glance } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

async function threeClients(site: Site): Promise<Map<string, string>> {
  const clients = await Promise.all(
    ['ann', 'bob', 'cid'].map((publicToken) => site.newClient({ publicToken })),
  )
  return new Map(clients.map(({ publicToken, privateToken }) => [publicToken, privateToken]))
}

/** Whom the messages so far have reached, by name. */
async function receivers({ url }: Site, clients: Map<string, string>): Promise<Record<string, string[]>> {
  const got: Record<string, string[]> = {}
  for (const [publicToken, privateToken] of clients) {
    const { messages } = await glance(url, privateToken)
    got[publicToken] = messages.map(({ n }) => n).filter((name) => name !== 'aspNetComet.timeout')
  }
  return got
}

describe('sendMessage', () => {
  test('reaches everybody, one, several, or all but some', async () => {
    const site = await openSite()
    const clients = await threeClients(site)
    await site.channel.sendMessage('All')
    await site.channel.sendMessage('One', 1, { to: 'bob' })
    await site.channel.sendMessage('Some', 1, { to: ['ann', 'nobody', 'cid'] })
    await site.channel.sendMessage('NotBob', 1, { except: 'bob' })
    await site.channel.sendMessage('OnlyCid', 1, { to: ['ann', 'cid'], except: ['ann', 'bob'] })
    await site.channel.sendMessage('Nobody', 1, { to: [] })
    expect(await receivers(site, clients)).toEqual({
      ann: ['All', 'Some', 'NotBob'],
      bob: ['All', 'One'],
      cid: ['All', 'Some', 'NotBob', 'OnlyCid'],
    })
  })

  test('to one client that does not exist is refused, and nothing is stored', async () => {
    const { channel } = await openSite()
    await channel.open()
    const before = channel.cursor()
    const missing = { code: 'COMET_CLIENT_DOES_NOT_EXIST', status: 404 }
    await expect(channel.sendMessage('M', 1, { to: 'nobody' })).rejects.toMatchObject(missing)
    expect(channel.cursor()).toEqual(before)
  })

  test('resolves with the id, and ids rise in the order of the calls', async () => {
    const { channel } = await openSite()
    const ids = await Promise.all(Array.from({ length: 100 }, (_, index) => channel.sendMessage('M', index)))
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
  })

  test('calls of different kinds take effect in the order in which they were made', async () => {
    const { channel, url } = await openSite()
    await channel.open()
    const [, ann] = await Promise.all([
      channel.sendMessage('Before', 1),
      channel.initializeClient({ publicToken: 'ann' }),
      channel.sendMessage('After', 2, { to: 'ann' }),
    ])
    expect((await glance(url, ann.privateToken)).messages).toMatchObject([{ n: 'After' }])
  })

  test('Row 10: with a key that was used before answers the first id and sends nothing', async () => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient()
    const ids = await Promise.all(
      [1, 2, 3].map((each) => channel.sendMessage('Pay', each, { key: 'order-7' })),
    )
    expect(new Set(ids).size).toBe(1)
    expect(await channel.sendMessage('Pay', 4, { key: 'order-8' })).not.toBe(ids[0])
    expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([1, 4])
  })

  test('undefined contents are null', async () => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient()
    await channel.sendMessage('M')
    expect((await glance(url, privateToken)).messages).toMatchObject([{ n: 'M', c: null }])
  })

  test('rejects for the seed’s order of arguments, and nobody gets it', async () => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient({ publicToken: 'bob' })
    const seed = channel.sendMessage.bind(channel) as (...order: unknown[]) => Promise<number>
    await expect(seed('bob', 'ChatMessage', 'hello')).rejects.toBeInstanceOf(TypeError)
    await expect(seed('M', 1, { to: undefined })).rejects.toBeInstanceOf(TypeError)
    expect((await glance(url, privateToken)).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
  })

  test('Row 33: one that is too large is refused and never stored, and others are unaffected', async () => {
    const { channel, newClient, url } = await openSite({ options: { maxMessageBytes: 10 } })
    const { privateToken } = await newClient()
    const tooLarge = { code: 'COMET_MESSAGE_IS_TOO_LARGE', status: 413 }
    const sends = [
      channel.sendMessage('A', 1),
      channel.sendMessage('B', 'x'.repeat(10)),
      channel.sendMessage('C', 2),
    ]
    await expect(sends[1]).rejects.toMatchObject(tooLarge)
    await Promise.allSettled(sends)
    expect((await glance(url, privateToken)).messages.map(({ n }) => n)).toEqual(['A', 'C'])
  })

  test('Row 32: over the queue’s limit it is refused, and what was taken arrives', async () => {
    const { channel, newClient, url } = await openSite({ options: { maxQueuedOperations: 3 } })
    const { privateToken } = await newClient()
    const sends = Array.from({ length: 5 }, (_, index) => channel.sendMessage('M', index))
    const settled = await Promise.allSettled(sends)
    expect(settled.slice(3)).toEqual(
      [3, 4].map(() =>
        expect.objectContaining({ reason: expect.objectContaining({ code: 'COMET_QUEUE_IS_FULL' }) }),
      ),
    )
    expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([0, 1, 2])
  })
})
