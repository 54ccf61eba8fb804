import { afterAll, afterEach, beforeAll, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { linkTo } from '../support/cuttable-link.ts'
import { closeSites } from '../support/site.ts'
import { openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterEach(closeSites)
afterAll(() => browser?.close())

testInChromium(
  'a server that is back before its pages ask, and ends once more within seconds, makes nobody poll',
  async () => {
    const { numbers, port } = await openBrowserSite()
    const link = await linkTo(port)
    try {
      const page = await ChannelPage.open(await browser.newPage(), link.origin)
      await page.connected()
      for (const kills of [1, 2]) {
        numbers.start()
        await page.has(numbers.count + 20)
        link.cut()
        link.mend()
        await page.until(({ failures, state }) => failures.length === kills && state === 'connected')
        await page.has(numbers.count + 20)
        await numbers.stop()
      }
      const seen = await page.has(numbers.count)
      expect(seen).toMatchObject({ numbers: numbers.all, transport: 'streaming', resets: [] })
      expect(page.count('poll')).toBe(0)
    } finally {
      await numbers.stop()
      await link.close()
    }
  },
)
