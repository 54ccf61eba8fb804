import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'
import { openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

overEachTransport(({ glance, poll }) => {
  describe('A page that comes to a node which lags, with a cursor ahead of it,', () => {
    test('is not called lost: the node first catches up', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      lagging.gate.hold()
      await current.channel.sendMessage('One', 1)
      const { cursor, messages } = await glance(current.url, privateToken)
      expect(messages).toMatchObject([{ n: 'One' }])
      await current.channel.sendMessage('Two', 2)
      const roamed = await glance(lagging.url, privateToken, { cursor: cursor! })
      expect([roamed.status, roamed.outcome]).toEqual([200, 'resumed'])
      expect(roamed.messages).toMatchObject([{ n: 'Two' }])
    })

    test('is not called lost when the next entry is not for it either', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      const { publicToken: other } = await current.newClient()
      lagging.gate.hold()
      await current.channel.sendMessage('NotForYou', 1, { to: other })
      const { cursor } = await glance(current.url, privateToken)
      const roamed = await glance(lagging.url, privateToken, { cursor: cursor! })
      expect([roamed.outcome, roamed.cursor]).toEqual(['resumed', cursor])
      expect(roamed.messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    })

    test('is told to come again when catching up fails, and loses nothing', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      await glance(lagging.url, privateToken)
      lagging.gate.hold()
      await current.channel.sendMessage('One', 1)
      const { cursor } = await glance(current.url, privateToken)
      await current.channel.sendMessage('Two', 2)
      lagging.gate.failNext('catchUp')
      const refused = await glance(lagging.url, privateToken, { cursor: cursor! })
      expect([refused.status, refused.messages[0]?.code]).toEqual([503, 'COMET_PROVIDER_IS_UNAVAILABLE'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      const again = await glance(lagging.url, privateToken, { cursor: cursor! })
      expect(again.messages).toMatchObject([{ n: 'Two' }])
    })

    test('Row 19: is told to come again when catching up hangs', async () => {
      const { lagging, current } = await openTwoNodes({ providerTimeoutSeconds: 0.1 })
      const { privateToken } = await current.newClient()
      await glance(lagging.url, privateToken)
      lagging.gate.hold()
      await current.channel.sendMessage('One', 1)
      const { cursor } = await glance(current.url, privateToken)
      const letGo = lagging.gate.hangNext('catchUp')
      expect((await glance(lagging.url, privateToken, { cursor: cursor! })).status).toBe(503)
      letGo()
      expect((await glance(lagging.url, privateToken, { cursor: cursor! })).outcome).toBe('resumed')
    })

    test('that even the store has not reached is of another life, and is told so', async () => {
      const { lagging } = await openTwoNodes()
      const { privateToken, start } = await lagging.newClient()
      const ahead = `${start.epoch}:${start.messageId + 1000}`
      const { outcome, messages } = await glance(lagging.url, privateToken, { cursor: ahead })
      expect(outcome).toBe('reset')
      expect(messages).toMatchObject([{ n: 'aspNetComet.reset', c: { reason: 'epoch', epoch: start.epoch } }])
    })
  })

  describe('A node which lags', () => {
    test('never sends a cursor beyond what it has applied', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      const before = await glance(lagging.url, privateToken)
      lagging.gate.hold()
      await current.channel.sendMessage('One', 1)
      const behind = await glance(lagging.url, privateToken, { cursor: before.cursor! })
      expect(behind.cursor).toBe(before.cursor)
      expect(behind.messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
      lagging.gate.release()
      const after = await glance(lagging.url, privateToken, { cursor: behind.cursor! })
      expect(after.messages).toMatchObject([{ n: 'One' }])
    })

    test('serves a page whose cursor it has, without asking the store', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      const { cursor } = await glance(lagging.url, privateToken)
      lagging.gate.hold()
      lagging.gate.failNext('catchUp')
      expect((await glance(lagging.url, privateToken, { cursor: cursor! })).status).toBe(200)
    })

    test('wakes a held request when the entry reaches it, and not before', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      lagging.gate.hold()
      const held = poll(lagging.url, privateToken)
      await lagging.holds(1)
      await current.channel.sendMessage('One', 1)
      await current.channel.sendMessage('Two', 2)
      expect(lagging.channel.stats().heldRequests).toBe(1)
      lagging.gate.release(1)
      const { messages, cursor } = await held
      expect(messages).toMatchObject([{ n: 'One' }])
      lagging.gate.release()
      expect((await glance(lagging.url, privateToken, { cursor: cursor! })).messages).toMatchObject([
        { n: 'Two' },
      ])
    })

    test('renders a page from what it has applied: its cursor() is not ahead of it', async () => {
      const { lagging, current } = await openTwoNodes()
      lagging.gate.hold()
      const id = await current.channel.sendMessage('One', 1)
      expect(lagging.channel.cursor().messageId).toBeLessThan(id)
      expect(current.channel.cursor().messageId).toBe(id)
      const { privateToken } = await current.newClient({ from: lagging.channel.cursor() })
      expect((await glance(current.url, privateToken)).messages).toMatchObject([{ n: 'One' }])
    })

    test('takes a start that is ahead of it, and catches up for it', async () => {
      const { lagging, current } = await openTwoNodes()
      lagging.gate.hold()
      await current.channel.sendMessage('Seen', 1)
      const from = current.channel.cursor()
      await current.channel.sendMessage('Next', 2)
      const { privateToken, start } = await lagging.newClient({ from })
      expect(start).toEqual(from)
      const { outcome, messages } = await glance(lagging.url, privateToken)
      expect(outcome).toBe('resumed')
      expect(messages).toMatchObject([{ n: 'Next' }])
    })
  })
})
