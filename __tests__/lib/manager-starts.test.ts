import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

overEachTransport(({ glance }) => {
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
      expect([outcome, messages.map(({ c }) => c)]).toEqual([
        'reset',
        [expect.objectContaining({ reason: 'trimmed' }), 4, 5],
      ])
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

    test('a client with a from is stored before what is sent after it was asked for', async () => {
      const { channel } = await openSite()
      await channel.open()
      const initialising = channel.initializeClient({ publicToken: 'bob', from: channel.cursor() })
      const sending = channel.sendMessage('M', 1, { to: 'bob' })
      expect(await sending).toBeGreaterThan((await initialising).generation)
    })

    test('cursor() is refused before the channel is open', async () => {
      const { channel } = await openSite()
      expect(() => channel.cursor()).toThrow(expect.objectContaining({ code: 'COMET_CHANNEL_IS_NOT_OPEN' }))
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
    expect(rest).toMatchObject({
      epoch,
      head: messageId,
      retainedMessages: 2,
      heldRequests: 0,
      knownClients: 1,
    })
    expect([trimmedThrough, retainedBytes > 0]).toEqual([messageId - 2, true])
    await sending
  })
})
