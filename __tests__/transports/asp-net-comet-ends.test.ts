import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { InitializedCometClient } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite, type Site, type SiteOptions } from '../support/site.ts'
import { AspNetCometPage } from './asp-net-comet-page.ts'

const pages: AspNetCometPage[] = []

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  for (const page of pages.splice(0)) page.close()
  await closeSites()
})

async function openPage(
  options: SiteOptions = {},
): Promise<Site & InitializedCometClient & { page: AspNetCometPage }> {
  const site = await openSite(options)
  const client = await site.newClient()
  return { ...site, ...client, page: subscribe(site.url, client.privateToken) }
}

function subscribe(url: string, privateToken: string): AspNetCometPage {
  const page = new AspNetCometPage(url, privateToken).subscribe()
  pages.push(page)
  return page
}

/** Long enough for dozens of requests of a page in a hot loop, while no time passes for the channel. */
async function whileNoTimePasses({ served }: Site): Promise<void> {
  for (let n = 0; n < 30; n += 1) await (await fetch(`${served.origin}/elsewhere`)).text()
}

/** For nearly a second nothing is asked, and then something is. */
async function expectPause(site: Site, ...of: AspNetCometPage[]): Promise<void> {
  const requests = (): number => of.reduce((sum, page) => sum + page.requests.length, 0)
  const before = requests()
  for (const seconds of [0, 0.99]) {
    await passSeconds(seconds)
    await whileNoTimePasses(site)
    expect(requests()).toBe(before)
  }
  await passSeconds(0.01)
  await eventually(() => requests() > before)
}

describe('what passes is told a page of 2008 as a timeout, so that it lives', () => {
  test('the hold’s end: it asks again once', async () => {
    const { page, holds, ...site } = await openPage({ options: { connectionTimeoutSeconds: 5 } })
    for (const times of [1, 2, 3]) {
      await holds(1)
      await passSeconds(5)
      await eventually(() => page.timeouts === times && page.requests.length === times + 1)
    }
    await holds(1)
    await site.channel.sendMessage('Count', 1)
    await page.receives(1)
    expect(page.received).toMatchObject([{ c: 1 }])
  })

  test('another page with its token: each asks once a second, not as fast as the network allows', async () => {
    const { page: first, ...site } = await openPage()
    await site.holds(1)
    const second = subscribe(site.url, site.privateToken)
    await site.holds(2)
    for (let times = 0; times < 6; times += 1) {
      await expectPause(site, first, second)
      await site.holds(2)
    }
    expect([first.end, second.end]).toEqual([undefined, undefined])
    expect(first.requests.length + second.requests.length).toBe(8)
    await site.channel.sendMessage('Count', 1)
    await Promise.all([first.receives(1), second.receives(1)])
    expect([first.received[0]?.c, second.received[0]?.c]).toEqual([1, 1])
  })

  test('a server that holds all it can: it asks once a second, and is served when there is room', async () => {
    const site = await openSite({ options: { maxHeldRequests: 1 } })
    const other = poll(site.url, (await site.newClient()).privateToken)
    await site.holds(1)
    const page = subscribe(site.url, (await site.newClient()).privateToken)
    await eventually(() => page.requests.length === 1)
    for (const times of [1, 2, 3]) {
      await expectPause(site, page)
      expect([page.timeouts, page.requests.length]).toEqual([times, times + 1])
    }
    await site.channel.sendMessage('Count', 1)
    await other
    await passSeconds(1)
    await page.receives(1)
    expect(page.received).toMatchObject([{ c: 1 }])
  })

  test('a store that is out of reach: it asks once a second, and goes on when the store is back', async () => {
    const provider = new GatedProvider(new InProcCometStateProvider())
    const site = await openSite({ provider })
    const { privateToken } = await site.newClient()
    provider.goAway()
    const page = subscribe(site.url, privateToken)
    await eventually(() => page.requests.length === 1)
    for (const times of [1, 2, 3]) {
      await expectPause(site, page)
      expect([page.timeouts, page.requests.length]).toEqual([times, times + 1])
    }
    provider.comeBack()
    await site.channel.sendMessage('Count', 1)
    await passSeconds(1)
    await page.receives(1)
    expect(page.received).toMatchObject([{ c: 1 }])
    expect(page.end).toBeUndefined()
  })

  test('what is answered a second later counts as held, is bounded, and is answered at once when the channel closes', async () => {
    const provider = new GatedProvider(new InProcCometStateProvider())
    const site = await openSite({ provider, options: { maxHeldRequests: 2 } })
    const { privateToken } = await site.newClient()
    provider.goAway()
    const ask = () => fetch(site.url, { method: 'POST', body: new URLSearchParams({ privateToken }) })
    const slowed = [ask(), ask()]
    await site.holds(2)
    const over = await ask()
    expect([over.status, await over.json()]).toMatchObject([200, [{ n: 'aspNetComet.timeout' }]])
    await site.channel.close()
    for (const answer of await Promise.all(slowed)) {
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
      expect(await answer.json()).toMatchObject([{ n: 'aspNetComet.timeout' }])
    }
    expect(site.channel.stats().heldRequests).toBe(0)
  })

  test('one that goes away while it is slowed down is not counted any more', async () => {
    const provider = new GatedProvider(new InProcCometStateProvider())
    const site = await openSite({ provider })
    const { privateToken } = await site.newClient()
    provider.goAway()
    const page = new AbortController()
    const gone = fetch(site.url, {
      method: 'POST',
      body: new URLSearchParams({ privateToken }),
      signal: page.signal,
    }).catch(() => 'gone')
    await site.holds(1)
    page.abort()
    expect(await gone).toBe('gone')
    await site.holds(0)
  })

  test('a channel that closes: it is answered, and asks once a second from then on', async () => {
    const { page, ...site } = await openPage()
    await site.holds(1)
    await site.channel.close()
    await eventually(() => page.timeouts === 1 && page.requests.length === 2)
    for (const times of [2, 3]) {
      await expectPause(site, page)
      expect([page.timeouts, page.requests.length]).toEqual([times, times + 1])
    }
    expect(page.end).toBeUndefined()
  })
})

describe('a page of 2008 whose log is lost', () => {
  test('while it waits is told so by a message that it can ignore, and goes on', async () => {
    const provider = new GatedProvider(new InProcCometStateProvider())
    const { page, ...site } = await openPage({ provider })
    await site.holds(1)
    provider.loseLog('another-life')
    await page.receives(1)
    expect(page.received).toMatchObject([
      { n: 'aspNetComet.reset', c: { reason: 'epoch', epoch: 'another-life' } },
    ])
    expect(page.lastMessageId).toBe(page.received[0]?.mid)
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    await page.receives(2)
    expect(page.received[1]).toMatchObject({ n: 'Count', c: 1 })
  })

  test('between two polls is told so with the next, though it knows of no epoch', async () => {
    const provider = new GatedProvider(new InProcCometStateProvider())
    const { page, ...site } = await openPage({ provider })
    await site.holds(1)
    page.unsubscribe()
    await site.channel.sendMessage('Count', 1)
    await page.ends()
    await site.channel.sendMessage('Count', 2)
    provider.loseLog()
    await site.channel.sendMessage('Count', 3)
    page.subscribe()
    await page.receives(3)
    expect(page.received.map(({ n, c }) => (n === 'Count' ? c : n))).toEqual([1, 'aspNetComet.reset', 3])
    expect(page.end).toBeUndefined()
  })
})
