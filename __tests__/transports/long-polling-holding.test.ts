import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

describe('a held poll', () => {
  test('is answered with a timeout after its client’s time, less up to 10 % at random', async () => {
    const site = await openSite({ options: { connectionIdleSeconds: 500 } })
    const polls = []
    for (let n = 0; n < 60; n += 1) {
      const { privateToken } = await site.newClient({ connectionTimeoutSeconds: 100 })
      polls.push(poll(site.url, privateToken))
    }
    await site.holds(60)
    await passSeconds(89.9)
    expect(site.channel.stats().heldRequests).toBe(60)
    const heldAfter = []
    for (let step = 0; step < 20; step += 1) {
      await passSeconds(0.5)
      heldAfter.push(site.channel.stats().heldRequests)
    }
    await passSeconds(0.2)
    expect(site.channel.stats().heldRequests).toBe(0)
    // Not all in one step: 60 polls over 20 steps.
    expect(new Set(heldAfter).size).toBeGreaterThan(5)
    for (const { messages } of await Promise.all(polls)) {
      expect(messages).toMatchObject([{ n: 'aspNetComet.timeout', c: null }])
    }
  })

  test('is held 25 seconds by default, below the 30 of the strictest proxies', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    await passSeconds(22.4)
    expect(site.channel.stats().heldRequests).toBe(1)
    await passSeconds(2.7)
    expect((await polling).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
  })

  test.each(['wait=3', 'respond-async, WAIT=3', 'wait=3; x=y'])(
    'that prefers less is held no longer than that: Prefer: %s',
    async (prefer) => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const polling = poll(site.url, privateToken, { headers: { Prefer: prefer } })
      await site.holds(1)
      await passSeconds(2.6)
      expect(site.channel.stats().heldRequests).toBe(1)
      await passSeconds(0.5)
      expect((await polling).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    },
  )

  test.each(['wait=900', 'wait=999999', 'wait=-1', 'wait=abc', 'wait', 'return=minimal', 'await=1'])(
    'is held for its client’s time when it asks for what cannot be: Prefer: %s',
    async (prefer) => {
      const site = await openSite()
      const { privateToken } = await site.newClient({ connectionTimeoutSeconds: 10 })
      const polling = poll(site.url, privateToken, { headers: { Prefer: prefer } })
      await site.holds(1)
      await passSeconds(8.9)
      expect(site.channel.stats().heldRequests).toBe(1)
      await passSeconds(1.2)
      expect((await polling).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    },
  )

  test('is not held at all for Prefer: wait=0', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const { messages } = await poll(site.url, privateToken, { headers: { Prefer: 'wait=0' } })
    expect(messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
  })

  test('is answered by the first message at once, with all that was sent in the same turn', async () => {
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
