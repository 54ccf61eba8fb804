import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

overEachTransport(({ glance, poll }) => {
  describe('a held request', () => {
    test('is not held at all for Prefer: wait=0', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const { messages } = await glance(site.url, privateToken)
      expect(messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    })

    test('is told the first message at once, with all that was sent in the same turn', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const polling = poll(site.url, privateToken)
      await site.holds(1)
      await Promise.all([1, 2, 3].map((n) => site.channel.sendMessage('Count', n)))
      expect((await polling).messages.map(({ c }) => c)).toEqual([1, 2, 3])
    })

    test('is told that its client was stopped, and the next one too', async () => {
      const site = await openSite()
      const { publicToken, privateToken } = await site.newClient()
      const polling = poll(site.url, privateToken)
      await site.holds(1)
      await site.channel.stopClient(publicToken)
      for (const answer of [await polling, await poll(site.url, privateToken)]) {
        expect(answer.status).toBe(403)
        expect(answer.messages).toMatchObject([{ n: 'aspNetComet.error', code: 'COMET_CLIENT_IS_STOPPED' }])
      }
    })

    test('is told 401 when its client was removed as idle by the app', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const polling = poll(site.url, privateToken)
      await site.holds(1)
      await site.channel.killIdleCometClient(privateToken)
      const answer = await polling
      expect(answer.status).toBe(401)
      expect(answer.messages).toMatchObject([{ c: 'CometClient does not exist.' }])
    })

    test('that ends while the store is out of reach is told 503, not that nothing came', async () => {
      const provider = new GatedProvider(new InProcCometStateProvider())
      const site = await openSite({ provider })
      const { privateToken } = await site.newClient()
      const polling = poll(site.url, privateToken)
      await site.holds(1)
      provider.goAway()
      await passSeconds(25)
      const { status, headers, messages } = await polling
      expect([status, messages[0]?.code]).toEqual([503, 'COMET_PROVIDER_IS_UNAVAILABLE'])
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    })
  })
})
