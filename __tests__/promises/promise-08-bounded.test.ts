import { afterEach, describe, expect, test } from '@jest/globals'
import { poll } from '../support/page.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

overEachTransport(({ glance, poll, transport }) => {
  describe('Promise 8: bounded, with a clear error, are', () => {
    test('the requests a node holds; a place that is free again is given again', async () => {
      const { channel, newClient, url, holds } = await openSite({ options: { maxHeldRequests: 2 } })
      const [ann, bob, cid] = await Promise.all(countTo(3).map(() => newClient()))
      const held = poll(url, ann!.privateToken)
      const leaving = transport.open(url, bob!.privateToken)
      const left = leaving.next().catch(() => 'left')
      await holds(2)
      const { status, messages, headers } = await poll(url, cid!.privateToken)
      expect([status, messages[0]?.code]).toEqual([503, 'COMET_TOO_MANY_REQUESTS_ARE_HELD'])
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
      await leaving.drop()
      expect(await left).toBe('left')
      await holds(1)
      const later = poll(url, cid!.privateToken)
      await holds(2)
      await channel.sendMessage('M', 1)
      for (const answer of [await held, await later]) expect(answer.messages).toMatchObject([{ c: 1 }])
    })

    test('the requests held, also when a client’s newer request takes the place of its older one', async () => {
      const { channel, newClient, url, holds } = await openSite({ options: { maxHeldRequests: 1 } })
      const { privateToken } = await newClient()
      const older = poll(url, privateToken)
      await holds(1)
      const newer = poll(url, privateToken)
      expect((await older).messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
      await channel.sendMessage('M', 1)
      expect((await newer).messages).toMatchObject([{ c: 1 }])
    })
  })

  test('Row 44: unknown tokens make no state', async () => {
    const { channel, url } = await openSite()
    const bodies = new Set<string>()
    for (const index of countTo(200)) {
      const { status, messages } = await glance(url, `unknown-token-${index}-${'x'.repeat(20)}`)
      bodies.add(JSON.stringify([status, messages]))
    }
    expect([...bodies]).toHaveLength(1)
    expect(channel.stats().knownClients).toBe(0)
  })
})

describe('Promise 8: bounded, with a clear error, are', () => {
  test('the requests held: a poll is given what there is though the node can hold no more, since it need not be', async () => {
    const { channel, newClient, url, holds } = await openSite({ options: { maxHeldRequests: 1 } })
    const [ann, bob] = await Promise.all(countTo(2).map(() => newClient()))
    const held = poll(url, ann!.privateToken)
    await holds(1)
    await channel.sendMessage('M', 1, { to: bob!.publicToken })
    expect((await poll(url, bob!.privateToken)).messages).toMatchObject([{ c: 1 }])
    await channel.sendMessage('M', 2)
    await held
  })

  test('the retained messages and bytes', async () => {
    const { channel } = await openSite({ options: { retention: { messages: 10, bytes: 5000 } } })
    for (const index of countTo(100)) await channel.sendMessage('M', index)
    expect(channel.stats().retainedMessages).toBe(10)
    for (const _ of countTo(100)) await channel.sendMessage('M', 'x'.repeat(1000))
    expect(channel.stats().retainedBytes).toBeLessThanOrEqual(5000)
  })

  test('the receivers of a send, and the size of what is sent', async () => {
    const { channel } = await openSite({ options: { maxReceivers: 2, maxMessageBytes: 10 } })
    await expect(channel.sendMessage('M', 1, { to: ['a', 'b', 'c'] })).rejects.toMatchObject({
      code: 'COMET_PARAMETERS_ARE_INVALID',
    })
    await expect(channel.sendMessage('M', 'x'.repeat(10))).rejects.toMatchObject({
      code: 'COMET_MESSAGE_IS_TOO_LARGE',
    })
  })

  test('the clients', async () => {
    const { newClient } = await openSite({ options: { maxClients: 1 } })
    await newClient()
    await expect(newClient()).rejects.toMatchObject({ code: 'COMET_TOO_MANY_CLIENTS', status: 503 })
  })
})
