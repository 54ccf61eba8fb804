import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

describe.each(['streaming', 'long-polling'])('A page that the browser keeps, by %s,', (transport) => {
  let browser: Browser
  let site: BrowserSite

  beforeAll(async () => {
    // Playwright leaves no page in that cache.
    browser = await launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
  })
  beforeEach(async () => {
    site = await openBrowserSite()
  })
  afterEach(async () => {
    await site?.numbers.stop()
    for (const context of browser.contexts()) await context.close()
    await closeSites()
  })
  afterAll(() => browser?.close())

  testInChromium('goes on where it was when it is shown again: it has missed nothing', async () => {
    const { numbers, channel, origin } = site
    const page = await ChannelPage.open(await browser.newPage(), `${origin}?transports=${transport}`)
    await page.connected()
    numbers.start()
    await page.has(20)
    await page.page.goto(`${origin}/other`)
    expect(await page.page.title()).toBe('Other')
    await eventually(() => channel.stats().heldRequests === 0)
    const { count } = numbers
    await eventually(() => numbers.count >= count + 20)
    // What goes back does not come back to who asked for it.
    await page.page.evaluate('void setTimeout(() => history.back())')
    // If it is not of the cache, all the rest is about a reload.
    await page.until(({ life }) => life.includes('pageshow persisted'))
    await page.has(numbers.count + 20)
    await numbers.stop()
    const seen = await page.has(numbers.count)
    expect(seen.numbers).toEqual(numbers.all)
    expect(seen).toMatchObject({ state: 'connected', transport, failures: [], resets: [] })
    expect(seen.states).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
    expect([page.count('register'), page.count('goodbye')]).toEqual([1, 0])
    expect(page.output).toEqual([])
  })
})
