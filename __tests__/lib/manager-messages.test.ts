import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite, type Site } from '../handlers/site.ts'
import { glance } from '../support/page.ts'

afterEach(closeSites)

async function threeClients(site: Site): Promise<Map<string, string>> {
  const clients = await Promise.all(['ann', 'bob', 'cid'].map((publicToken) => site.newClient({ publicToken })))
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
    const ids = await Promise.all([1, 2, 3].map((each) => channel.sendMessage('Pay', each, { key: 'order-7' })))
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
    const sends = [channel.sendMessage('A', 1), channel.sendMessage('B', 'x'.repeat(10)), channel.sendMessage('C', 2)]
    await expect(sends[1]).rejects.toMatchObject(tooLarge)
    await Promise.allSettled(sends)
    expect((await glance(url, privateToken)).messages.map(({ n }) => n)).toEqual(['A', 'C'])
  })

  test('Row 32: over the queue’s limit it is refused, and what was taken arrives', async () => {
    const { channel, newClient, url } = await openSite({ options: { maxQueuedOperations: 3 } })
    const { privateToken } = await newClient()
    const sends = Array.from({ length: 5 }, (_, index) => channel.sendMessage('M', index))
    const settled = await Promise.allSettled(sends)
    expect(settled.slice(3)).toEqual([3, 4].map(() => expect.objectContaining({ reason: expect.objectContaining({ code: 'COMET_QUEUE_IS_FULL' }) })))
    expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([0, 1, 2])
  })
})

describe('cursor() and from', () => {
  test('a page rendered as of message 41 reads on from 42', async () => {
    const { channel, newClient, url } = await openSite()
    for (let index = 1; index <= 41; index++) await channel.sendMessage('M', index)
    const from = channel.cursor()
    for (let index = 42; index <= 45; index++) await channel.sendMessage('M', index)
    const { privateToken, start } = await newClient({ from })
    await channel.sendMessage('M', 46)
    expect(start).toEqual(from)
    const { outcome, messages } = await glance(url, privateToken)
    expect([outcome, messages.map(({ c }) => c)]).toEqual(['resumed', [42, 43, 44, 45, 46]])
  })

  test('without from a client begins when it is initialised', async () => {
    const { channel, newClient, url } = await openSite()
    await channel.sendMessage('Before', 1)
    const { privateToken } = await newClient()
    await channel.sendMessage('After', 1)
    expect((await glance(url, privateToken)).messages.map(({ n }) => n)).toEqual(['After'])
  })

  test('from never shows what was sent to an earlier bearer of the public token', async () => {
    const { channel, newClient, url } = await openSite()
    await channel.open()
    const from = channel.cursor()
    const first = await newClient({ publicToken: 'bob' })
    await channel.sendMessage('Secret', 1, { to: 'bob' })
    await channel.sendMessage('Public', 1)
    await channel.killIdleCometClient(first.privateToken)
    const second = await newClient({ publicToken: 'bob', from })
    await channel.sendMessage('ForTheSecond', 1, { to: 'bob' })
    for (const cursor of [undefined, `${from.epoch}:${from.messageId}`, `${from.epoch}:1`]) {
      const { messages } = await glance(url, second.privateToken, { cursor })
      expect(messages.map(({ n }) => n)).toEqual(['Public', 'ForTheSecond'])
    }
  })

  test('a from that was trimmed leads to a reset that says so', async () => {
    const { channel, newClient, url } = await openSite({ options: { retention: { messages: 2 } } })
    await channel.open()
    const from = channel.cursor()
    for (let index = 1; index <= 5; index++) await channel.sendMessage('M', index)
    const { privateToken } = await newClient({ from })
    const { outcome, messages } = await glance(url, privateToken)
    expect([outcome, messages.map(({ c }) => c)]).toEqual(['reset', [expect.objectContaining({ reason: 'trimmed' }), 4, 5]])
  })

  test('a from of another life, or one that no log has reached, leads to a reset', async () => {
    const { channel, newClient, url } = await openSite()
    await channel.open()
    const { epoch, messageId } = channel.cursor()
    for (const from of [
      { epoch: 'another-life', messageId },
      { epoch: '', messageId: 0 },
      { epoch, messageId: messageId + 1_000_000 },
    ]) {
      const { privateToken } = await newClient({ from })
      const { outcome, messages } = await glance(url, privateToken)
      expect([outcome, messages[0]?.c]).toEqual(['reset', expect.objectContaining({ reason: 'epoch' })])
    }
  })

  test('cursor() is refused before the channel is open', async () => {
    const { channel } = await openSite()
    expect(() => channel.cursor()).toThrow(expect.objectContaining({ code: 'COMET_CHANNEL_IS_CLOSED' }))
  })
})

test('stats() tells what this node holds, at any time', async () => {
  const { channel, newClient, url } = await openSite({ options: { retention: { messages: 2 } } })
  const nothing = { epoch: '', head: 0, trimmedThrough: 0, retainedMessages: 0, retainedBytes: 0 }
  expect(channel.stats()).toEqual({ ...nothing, heldRequests: 0, knownClients: 0, queuedOperations: 0 })
  const { privateToken } = await newClient()
  await glance(url, privateToken)
  for (let index = 1; index <= 3; index++) await channel.sendMessage('M', index)
  const sending = channel.sendMessage('M', 4)
  await Promise.resolve()
  const { epoch, messageId } = channel.cursor()
  const { trimmedThrough, retainedBytes, ...rest } = channel.stats()
  expect(rest).toMatchObject({ epoch, head: messageId, retainedMessages: 2, heldRequests: 0, knownClients: 1 })
  expect([trimmedThrough, retainedBytes > 0]).toEqual([messageId - 2, true])
  await sending
})
