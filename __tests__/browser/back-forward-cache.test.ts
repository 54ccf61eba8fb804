import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

/** Other browsers tell nothing of these. */
const WITHOUT_FREEZING = `for (const type of ['freeze', 'resume']) {
  addEventListener(type, (event) => event.stopImmediatePropagation(), true)
}`

describe('A page that the browser keeps while another is shown', () => {
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

  async function expectToGoOn(transport: string, script = ''): Promise<void> {
    const { numbers, channel, origin } = site
    const tab = await browser.newPage()
    await tab.addInitScript(script)
    const page = await ChannelPage.open(tab, `${origin}?transports=${transport}`)
    await page.connected()
    numbers.start()
    await page.has(20)
    await tab.goto(`${origin}/other`)
    expect(await tab.title()).toBe('Other')
    await eventually(() => channel.stats().heldRequests === 0)
    const { count } = numbers
    await eventually(() => numbers.count >= count + 20)
    // A page that goes back gives no answer.
    await tab.evaluate('void setTimeout(() => history.back())')
    // Of another page, this would be a reload.
    await page.until(({ life }) => life.includes('pageshow persisted'))
    await page.has(numbers.count + 20)
    await numbers.stop()
    const seen = await page.has(numbers.count)
    expect(seen.numbers).toEqual(numbers.all)
    expect(seen).toMatchObject({ state: 'connected', transport, failures: [], resets: [] })
    expect(seen.states).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
    expect(page.count('register')).toBe(1)
    expect(channel.stats().knownClients).toBe(1)
    expect(page.output).toEqual([])
  }

  for (const transport of ['streaming', 'long-polling']) {
    testInChromium(`goes on where it was when it is shown again: ${transport}`, () => expectToGoOn(transport))
  }

  testInChromium('goes on where it was also where pages are not told that they are frozen', () =>
    expectToGoOn('streaming', WITHOUT_FREEZING),
  )
})
