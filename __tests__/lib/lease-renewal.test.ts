import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { CountedProvider } from '../support/counted-provider.ts'
import { eventually } from '../support/eventually.ts'
import type { Told } from '../support/exchange.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNode, openTwoNodes } from '../support/two-nodes.ts'

beforeEach(fakeTime)

afterEach(async () => {
  realTime()
  await closeSites()
})

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

async function openCounted(): Promise<Site & { readonly counted: CountedProvider }> {
  const counted = new CountedProvider(new InProcCometStateProvider())
  return { ...(await openSite({ provider: counted })), counted }
}

overEachTransport(({ glance, poll, transport }) => {
  describe('What leases cost the store', () => {
    test('100 requests are one load and the renewal of the first', async () => {
      const { counted, newClient, url } = await openCounted()
      const { privateToken } = await newClient()
      for (let times = 0; times < 100; times++) await glance(url, privateToken)
      expect([counted.loads, counted.renewals]).toEqual([1, [1]])
    })

    test('those who are held are renewed together, once a third of their idle time', async () => {
      const { counted, newClient, url, holds } = await openCounted()
      const clients = await Promise.all(
        Array.from({ length: 20 }, () =>
          newClient({ connectionIdleSeconds: 90, connectionTimeoutSeconds: 10_000 }),
        ),
      )
      const held = clients.map(({ privateToken }) => transport.open(url, privateToken))
      await holds(20)
      counted.renewals.length = 0
      await passSeconds(300)
      expect(counted.renewals).toEqual(Array(10).fill(20))
      for (const each of held) await each.drop()
      await holds(0)
    })

    test('a client that comes without end is renewed once a third of its idle time, and no more', async () => {
      const { counted, newClient, url } = await openCounted()
      const { privateToken } = await newClient({ connectionIdleSeconds: 30 })
      await glance(url, privateToken)
      counted.renewals.length = 0
      for (let second = 0; second < 60; second++) {
        await passSeconds(1)
        await glance(url, privateToken)
      }
      expect(counted.renewals.length).toBeLessThanOrEqual(6)
      expect(counted.renewals.length).toBeGreaterThanOrEqual(4)
    })

    test('who has gone is neither renewed nor remembered', async () => {
      const { channel, counted, newClient, url } = await openCounted()
      const { privateToken } = await newClient({ connectionIdleSeconds: 9 })
      await glance(url, privateToken)
      counted.renewals.length = 0
      await passSeconds(60)
      expect([counted.renewals, channel.stats().knownClients]).toEqual([[], 0])
    })
  })

  describe('A renewal', () => {
    test('that fails is reported and tried again, and the client lives', async () => {
      const { channel, gate, errors, newClient, url, holds } = await openNode()
      const { privateToken } = await newClient({ connectionIdleSeconds: 9, connectionTimeoutSeconds: 10_000 })
      const held = poll(url, privateToken)
      await holds(1)
      gate.failNext('renewLeases', { times: 2 })
      await passSeconds(60)
      expect(errors).toHaveLength(2)
      expect(channel.stats().heldRequests).toBe(1)
      await channel.sendMessage('M', 1)
      expect((await held).messages).toMatchObject([{ n: 'M' }])
    })

    test('that fails for many is reported once, and again when it was tried again', async () => {
      const { gate, errors, newClient, url, holds } = await openNode()
      const clients = await Promise.all(
        Array.from({ length: 20 }, () =>
          newClient({ connectionIdleSeconds: 9, connectionTimeoutSeconds: 10_000 }),
        ),
      )
      const held = clients.map(({ privateToken }) => transport.open(url, privateToken))
      await holds(20)
      gate.failNext('renewLeases', { times: 3 })
      await passSeconds(4)
      await eventually(() => errors.length > 0)
      expect(errors).toHaveLength(1)
      await passSeconds(4)
      expect(errors).toHaveLength(1)
      await passSeconds(3)
      await eventually(() => errors.length > 1)
      expect(errors).toHaveLength(2)
      for (const each of held) await each.drop()
      await holds(0)
    })

    test('that is overdue is reported once, and nothing more is asked until it has ended', async () => {
      const { channel, gate, errors, newClient, url, holds } = await openNode(new InProcStorage(), {
        providerTimeoutSeconds: 2,
      })
      const { privateToken } = await newClient({
        connectionIdleSeconds: 60,
        connectionTimeoutSeconds: 10_000,
      })
      const held = poll(url, privateToken)
      await holds(1)
      const letGo = gate.hangNext('renewLeases')
      await passSeconds(23)
      await eventually(() => errors.length > 0)
      for (let seconds = 0; seconds < 40; seconds++) {
        await passSeconds(1)
        await turns()
      }
      expect(errors).toHaveLength(1)
      letGo()
      await turns()
      await passSeconds(60)
      await channel.sendMessage('M', 1)
      expect((await held).messages).toMatchObject([{ n: 'M' }])
      expect(errors).toHaveLength(1)
    })

    test('that finds the lease with another page’s node ends the held request as replaced', async () => {
      const { lagging: here, current: there } = await openTwoNodes()
      const { privateToken } = await here.newClient({
        connectionIdleSeconds: 9,
        connectionTimeoutSeconds: 10_000,
      })
      let answer: Told | undefined
      void poll(here.url, privateToken, { headers: { 'Comet-Page': 'old;new' } }).then(
        (told) => (answer = told),
      )
      await here.holds(1)
      await glance(there.url, privateToken, { headers: { 'Comet-Page': 'young;new' } })
      await passSeconds(5)
      await eventually(() => answer !== undefined)
      expect(answer?.messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
    })

    test('that finds its client gone ends the held request with why', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient({
        connectionIdleSeconds: 9,
        connectionTimeoutSeconds: 10_000,
      })
      const held = poll(lagging.url, privateToken)
      await lagging.holds(1)
      lagging.gate.hold()
      await current.channel.killIdleCometClient(privateToken)
      await passSeconds(5)
      const { status, messages } = await held
      expect([status, messages[0]?.code]).toEqual([401, 'COMET_TOKEN_IS_UNKNOWN'])
    })

    test('by any node is for all: a client that goes from node to node lives', async () => {
      const { lagging: one, current: two } = await openTwoNodes()
      const { privateToken } = await one.newClient({ connectionIdleSeconds: 9 })
      for (let times = 0; times < 20; times++) {
        await passSeconds(8)
        expect((await glance((times % 2 === 0 ? one : two).url, privateToken)).status).toBe(200)
      }
    })

    test('carries what the page has acknowledged: another node reads on from there', async () => {
      const { lagging: one, current: two } = await openTwoNodes()
      const { privateToken } = await one.newClient({ connectionIdleSeconds: 9 })
      await one.channel.sendMessage('One', 1)
      const { cursor } = await glance(one.url, privateToken)
      await passSeconds(4)
      await glance(one.url, privateToken, { cursor: cursor! })
      await passSeconds(4)
      await one.channel.sendMessage('Two', 2)
      expect((await glance(two.url, privateToken)).messages).toMatchObject([{ n: 'Two' }])
    })
  })
})
