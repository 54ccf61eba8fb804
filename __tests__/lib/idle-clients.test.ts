import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { CometStateManager } from 'koa-comet'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

beforeEach(fakeTime)

afterEach(async () => {
  realTime()
  await closeSites()
})

/** The idle time of most tests, its lease, and the period of sweeping: when a client has to be gone at the latest. */
const IDLE_SECONDS = 9
const LEASE_SECONDS = (IDLE_SECONDS * 4) / 3 + 5
const GONE_BY_SECONDS = LEASE_SECONDS + 5 + 1

function eventsOf(channel: CometStateManager): string[] {
  const told: string[] = []
  channel.on('idleClientKilled', ({ publicToken }) => told.push(`killed ${publicToken}`))
  channel.on('clientDisconnected', ({ publicToken }, { reason }) =>
    told.push(`disconnected ${publicToken}: ${reason}`),
  )
  return told
}

async function publicTokens(channel: CometStateManager): Promise<string[]> {
  const tokens: string[] = []
  for await (const { publicToken } of channel.getClients()) tokens.push(publicToken)
  return tokens
}

overEachTransport(({ glance, poll, transport }) => {
  describe('A client that never subscribed', () => {
    test('lives for its idle time, is removed in time, and is reported once', async () => {
      const { channel, newClient } = await openSite()
      const told = eventsOf(channel)
      await newClient({ publicToken: 'ann', connectionIdleSeconds: IDLE_SECONDS })
      await passSeconds(IDLE_SECONDS)
      expect([await publicTokens(channel), told]).toEqual([['ann'], []])
      await passSeconds(GONE_BY_SECONDS - IDLE_SECONDS)
      expect(await publicTokens(channel)).toEqual([])
      await passSeconds(60)
      expect(told).toEqual(['killed ann', 'disconnected ann: idle'])
    })
  })

  describe('A client that stays away', () => {
    test('is removed in time, counted from when it was last there, and its token is dead', async () => {
      const { channel, newClient, url } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient({ publicToken: 'ann', connectionIdleSeconds: IDLE_SECONDS })
      for (let times = 0; times < 10; times++) {
        await passSeconds(IDLE_SECONDS - 1)
        await glance(url, privateToken)
      }
      await passSeconds(IDLE_SECONDS)
      expect(told).toEqual([])
      await passSeconds(GONE_BY_SECONDS - IDLE_SECONDS)
      expect(told).toEqual(['killed ann', 'disconnected ann: idle'])
      expect((await glance(url, privateToken)).status).toBe(401)
      expect(channel.stats().knownClients).toBe(0)
    })

    test('and was held when its connection broke has its idle time from then on', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const told = eventsOf(channel)
      const client = {
        publicToken: 'ann',
        connectionIdleSeconds: IDLE_SECONDS,
        connectionTimeoutSeconds: 600,
      }
      const { privateToken } = await newClient(client)
      const held = transport.open(url, privateToken)
      const broken = held.next().catch(() => 'broken')
      await holds(1)
      await passSeconds(100)
      await held.drop()
      expect(await broken).toBe('broken')
      await holds(0)
      await passSeconds(IDLE_SECONDS)
      expect(told).toEqual([])
      await passSeconds(GONE_BY_SECONDS - IDLE_SECONDS)
      expect(told).toHaveLength(2)
    })
  })

  describe('A client that keeps coming', () => {
    test('is never killed, coming or held, for many idle times', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const told = eventsOf(channel)
      const idle = { connectionIdleSeconds: IDLE_SECONDS }
      const polling = await newClient(idle)
      const held = await newClient({ ...idle, connectionTimeoutSeconds: 10_000 })
      const holding = poll(url, held.privateToken)
      await holds(1)
      for (let times = 0; times < 40; times++) {
        await passSeconds(IDLE_SECONDS - 0.5)
        expect((await glance(url, polling.privateToken)).status).toBe(200)
      }
      expect(told).toEqual([])
      await channel.sendMessage('M', 1)
      expect((await holding).messages).toMatchObject([{ n: 'M' }])
    })

    test('is never killed with the seed’s timeouts of 5 and 5 either', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient({ connectionTimeoutSeconds: 5, connectionIdleSeconds: 5 })
      let cursor: string | null = null
      for (let times = 0; times < 30; times++) {
        const held = poll(url, privateToken, { cursor: cursor ?? undefined, waitSeconds: 5 })
        await holds(1)
        await passSeconds(5)
        const answer = await held
        expect([answer.outcome, answer.messages[0]?.n]).toEqual(['resumed', 'aspNetComet.timeout'])
        cursor = answer.cursor
        await passSeconds(times % 5)
      }
      expect(told).toEqual([])
    })

    test('at the very last moment of its idle time, again and again, is never killed', async () => {
      const { channel, newClient, url } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient({ connectionIdleSeconds: 1 })
      for (let times = 0; times < 60; times++) {
        await passSeconds(1)
        expect((await glance(url, privateToken)).status).toBe(200)
      }
      expect(told).toEqual([])
    })
  })

  describe('Row 26: the wall clock', () => {
    test.each([
      ['an hour ahead', 3_600_000],
      ['an hour back', -3_600_000],
      ['ten years ahead', 315_576_000_000],
      ['ten years back', -315_576_000_000],
    ])('jumping %s kills nobody and stretches no hold', async (_, jumpMs) => {
      const { channel, newClient, url, holds } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient({ connectionTimeoutSeconds: 5, connectionIdleSeconds: 5 })
      const held = poll(url, privateToken, { waitSeconds: 5 })
      await holds(1)
      const wallClock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + jumpMs)
      try {
        await passSeconds(5)
        expect((await held).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
        await passSeconds(4)
        expect((await glance(url, privateToken, { cursor: (await held).cursor! })).outcome).toBe('resumed')
        expect(told).toEqual([])
      } finally {
        wallClock.mockRestore()
      }
    })
  })

  describe('Saying goodbye', () => {
    async function goodbye(url: string, privateToken: string, page: string): Promise<number> {
      const body = new URLSearchParams({ privateToken, page })
      return (await fetch(`${url}/goodbye`, { method: 'POST', body })).status
    }

    test('ends the client within seconds, reported once and as goodbye', async () => {
      const { channel, newClient, url } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient({ publicToken: 'ann' })
      await glance(url, privateToken, { headers: { 'Comet-Page': 'p1;new' } })
      expect(await goodbye(url, privateToken, 'p1')).toBe(204)
      await passSeconds(11)
      expect(told).toEqual(['disconnected ann: goodbye'])
      expect(await goodbye(url, privateToken, 'p1')).toBe(204)
      await passSeconds(11)
      expect(told).toHaveLength(1)
    })

    test('and coming back as a reloaded page is no leaving: nothing flaps', async () => {
      const { channel, newClient, url } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient()
      await glance(url, privateToken, { headers: { 'Comet-Page': 'p0;new' } })
      for (let reload = 1; reload <= 5; reload++) {
        await goodbye(url, privateToken, `p${reload - 1}`)
        await passSeconds(4)
        const { status } = await glance(url, privateToken, { headers: { 'Comet-Page': `p${reload};new` } })
        expect(status).toBe(200)
      }
      await passSeconds(60)
      expect(told).toEqual([])
    })

    test('after the reloaded page has come is too late: it does nothing', async () => {
      const { channel, newClient, url } = await openSite()
      const told = eventsOf(channel)
      const { privateToken } = await newClient()
      await glance(url, privateToken, { headers: { 'Comet-Page': 'before;new' } })
      await glance(url, privateToken, { headers: { 'Comet-Page': 'after;new' } })
      expect(await goodbye(url, privateToken, 'before')).toBe(204)
      await passSeconds(60)
      expect(told).toEqual([])
    })
  })
})
