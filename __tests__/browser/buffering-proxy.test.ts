import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy/fault-proxy.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'
import { MOVABLE_CLOCK } from './movable-clock.ts'

/** For so long streams are avoided at first. */
const AVOIDED_MS = 300_000

describe('Through a proxy that holds streams back', () => {
  let browser: Browser
  let context: BrowserContext
  let site: BrowserSite
  let proxy: FaultProxy

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    site = await openBrowserSite()
    proxy = await FaultProxy.open(site.port, (request) =>
      /^accept: text\/event-stream/im.test(request) ? { kind: 'buffer', bytes: 1_000_000 } : undefined,
    )
    context = await browser.newContext()
    await context.addInitScript(MOVABLE_CLOCK)
  })
  afterEach(async () => {
    await site?.numbers.stop()
    await context?.close()
    await proxy?.close()
    await closeSites()
  })
  afterAll(() => browser?.close())

  testInChromium(
    'a page polls, also after a reload, and is served by streams again some time after they get through',
    async () => {
      const { numbers } = site
      const page = await ChannelPage.open(await context.newPage(), proxy.origin)
      await eventually(() => site.channel.stats().knownClients === 1)
      numbers.start()
      const polling = await page.has(20)
      expect(polling).toMatchObject({ transport: 'long-polling', failures: [], resets: [] })
      expect(polling.states).toEqual(['connecting', 'connected'])
      expect([page.count('stream'), page.count('probe'), proxy.hits.buffer]).toEqual([1, 0, 1])

      await page.page.reload()
      const after = await page.has(numbers.count + 20)
      expect(after).toMatchObject({ transport: 'long-polling', failures: [], resets: [] })
      expect([page.count('stream'), page.count('probe')]).toEqual([1, 0])

      proxy.choose = () => undefined
      await page.page.evaluate(`skip(${AVOIDED_MS})`)
      await page.until(({ transport }) => transport === 'streaming')
      await page.has(numbers.count + 20)
      await numbers.stop()
      const seen = await page.has(numbers.count)
      expect(seen.numbers).toEqual(numbers.all)
      expect(seen).toMatchObject({ state: 'connected', failures: [], resets: [] })
      expect([page.count('stream'), page.count('probe'), page.count('register')]).toEqual([2, 1, 1])
      expect(page.output).toEqual([])
    },
  )
})
