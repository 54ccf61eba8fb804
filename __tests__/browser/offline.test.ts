import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { type CuttableLink, linkTo } from '../support/cuttable-link.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

describe('A page whose browser says that it is offline', () => {
  let browser: Browser
  let context: BrowserContext
  let site: BrowserSite
  let link: CuttableLink
  let page: ChannelPage

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    site = await openBrowserSite()
    link = await linkTo(site.port)
    context = await browser.newContext()
    page = await ChannelPage.open(await context.newPage(), link.origin)
    await page.connected()
    site.numbers.start()
    await page.has(10)
  })
  afterEach(async () => {
    await site?.numbers.stop()
    await context?.close()
    await link?.close()
    await closeSites()
  })
  afterAll(() => browser?.close())

  testInChromium(
    'and is: waits for the network, asks once as soon as there is one, and misses nothing',
    async () => {
      await context.setOffline(true)
      link.cut()
      // What it tries by itself, it tries after 30 s.
      const { numbers: before, failures } = await page.until(({ failures }) => failures.length > 0)
      const { count } = site.numbers
      await eventually(() => site.numbers.count >= count + 20)
      expect(page.count('stream')).toBe(1)
      link.mend()
      await context.setOffline(false)
      const seen = await page.until(({ numbers }) => numbers.length > before.length + 20)
      await site.numbers.stop()
      expect((await page.has(site.numbers.count)).numbers).toEqual(site.numbers.all)
      expect(seen).toMatchObject({ state: 'connected', transport: 'streaming', resets: [], failures })
      expect(seen.states).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
      expect([page.count('stream'), page.count('poll')]).toEqual([2, 0])
    },
  )

  testInChromium('and is not: is still served by its stream, and asks once anew at the end', async () => {
    await context.setOffline(true)
    const { numbers } = await page.until(({ life }) => life.includes('offline'))
    const during = await page.has(numbers.length + 20)
    expect([during.state, during.failures, page.count('stream')]).toEqual(['connected', [], 1])
    await context.setOffline(false)
    await page.until(({ states }) => states.length === 4)
    await site.numbers.stop()
    const seen = await page.has(site.numbers.count)
    expect(seen.numbers).toEqual(site.numbers.all)
    expect(seen).toMatchObject({ state: 'connected', resets: [], failures: [] })
    expect([page.count('stream'), page.count('poll')]).toEqual([2, 0])
  })
})
