import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
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
})
