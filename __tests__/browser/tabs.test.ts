import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals'
import type { Middleware } from 'koa'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

/** Longer than a client that said goodbye is kept, and shorter than one is that did not. */
const A_WHILE_SECONDS = 20

describe('Tabs of Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterEach(async () => {
    realTime()
    for (const context of browser.contexts()) await context.close()
    await closeSites()
  })
  afterAll(() => browser?.close())

  /** What becomes of the clients of a channel, by the server's own time. */
  async function openWatchedSite(): Promise<BrowserSite & { readonly events: string[] }> {
    fakeTime()
    const events: string[] = []
    const goodbyes: Middleware = async (ctx, next) => {
      await next()
      if (ctx.path === '/comet/goodbye') events.push(`goodbye: ${ctx.status}`)
    }
    const site = await openBrowserSite({}, [goodbyes])
    site.channel.on('clientInitialized', () => events.push('initialized'))
    site.channel.on('clientDisconnected', (_client, { reason }) => events.push(`disconnected: ${reason}`))
    return { ...site, events }
  }

  testInChromium('that are closed say goodbye: the client is gone within seconds', async () => {
    const { origin, events, holds } = await openWatchedSite()
    const page = await ChannelPage.open(await browser.newPage(), origin)
    await page.connected()
    await page.page.close({ runBeforeUnload: true })
    await holds(0)
    await eventually(() => events.length === 2)
    await passSeconds(A_WHILE_SECONDS)
    await eventually(() => events.length === 3)
    expect(events).toEqual(['initialized', 'goodbye: 204', 'disconnected: goodbye'])
  })

  testInChromium('that are reloaded are the same client as before, and nobody hears of it', async () => {
    const { origin, events, numbers, channel } = await openWatchedSite()
    const page = await ChannelPage.open(await browser.newPage(), origin)
    await page.connected()
    numbers.start()
    for (const _ of countTo(3)) {
      await page.has(numbers.count + 5)
      await page.page.reload()
      await page.connected()
    }
    await page.has(numbers.count + 5)
    await numbers.stop()
    await passSeconds(A_WHILE_SECONDS)
    await numbers.send(1)
    const seen = await page.has(numbers.count)
    expect(seen).toMatchObject({ numbers: numbers.all, transport: 'streaming', resets: [], failures: [] })
    expect(page.count('register')).toBe(1)
    const goodbyes = countTo(3).map(() => 'goodbye: 204')
    expect([events, channel.stats().knownClients]).toEqual([['initialized', ...goodbyes], 1])
  })

  testInChromium('that are duplicated become clients of their own, and each is given all', async () => {
    const { origin, events, numbers } = await openWatchedSite()
    const context = await browser.newContext()
    const page = await ChannelPage.open(await context.newPage(), origin)
    await page.connected()
    await numbers.send(5)
    await page.has(5)
    const opened = page.page.waitForEvent('popup')
    // It begins with a copy of what the page keeps.
    await page.page.evaluate('void open(location.href)')
    const duplicate = new ChannelPage(await opened)
    await duplicate.connected()
    await numbers.send(20)
    for (const each of [page, duplicate]) {
      const seen = await each.has(numbers.count)
      expect(seen).toMatchObject({ numbers: numbers.all, state: 'connected', resets: [], failures: [] })
      expect(seen.states).toEqual(['connecting', 'connected'])
    }
    expect(events).toEqual(['initialized', 'initialized'])
  })

  testInChromium('of which four are open leave room for what else the page asks its server', async () => {
    const { origin, numbers, holds } = await openBrowserSite()
    const context = await browser.newContext()
    const tabs = await Promise.all(
      countTo(4).map(async () => ChannelPage.open(await context.newPage(), origin)),
    )
    for (const tab of tabs) await tab.connected()
    await holds(4)
    await numbers.send(20)
    for (const tab of tabs) {
      expect(await tab.page.evaluate(`fetch('/other').then(({ status }) => status)`)).toBe(200)
      expect(await tab.has(20)).toMatchObject({ numbers: numbers.all, transport: 'streaming' })
    }
  })
})
