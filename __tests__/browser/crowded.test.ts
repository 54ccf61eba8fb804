import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, HELD, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

const TRANSPORTS = ['streaming', 'long-polling']

const STATUS_OF_OTHER = `fetch('/other', { cache: 'no-store' }).then(({ status }) => status)`

/** Opens so many channels in the page, and counts for each. */
const OPEN_CHANNELS = (count: number): string => `(async () => {
  const { CometChannel } = await import('/comet/client.js')
  globalThis.many = Array.from({ length: ${count} }, (_, index) => {
    const own = new CometChannel('/comet', null, 'channel ' + index)
    const counted = { numbers: [], states: [], failures: [], resets: 0, channel: own }
    own.on('Number', (number) => counted.numbers.push(number))
    own.addFailureHandler((_token, _alias, { code }) => counted.failures.push(code))
    own.addEventListener('statechange', ({ detail }) => counted.states.push(detail.state))
    own.addEventListener('reset', () => { counted.resets += 1 })
    own.subscribe()
    return counted
  })
})()`

interface Counted {
  readonly numbers: number[]
  readonly states: string[]
  readonly failures: string[]
  readonly resets: number
}

const MANY = 'many.map(({ channel, ...counted }) => counted)'

describe('Over HTTP/1.1, the pages of a browser', () => {
  let browser: Browser
  let context: BrowserContext
  let site: BrowserSite

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterEach(async () => {
    await site?.numbers.stop()
    await context?.close()
    await closeSites()
  })
  afterAll(() => browser?.close())

  async function openTabs(count: number, transport: string): Promise<ChannelPage[]> {
    site = await openBrowserSite()
    context = await browser.newContext()
    const tabs: ChannelPage[] = []
    for (const _ of countTo(count)) {
      const tab = await ChannelPage.open(await context.newPage(), `${site.origin}?transports=${transport}`)
      tabs.push(tab)
      await tab.connected()
    }
    return tabs
  }

  for (const transport of TRANSPORTS) {
    testInChromium(
      `in eight tabs leave room for what else they ask their server, and miss nothing: ${transport}`,
      async () => {
        const tabs = await openTabs(8, transport)
        const { numbers } = site
        await site.holds(HELD)
        numbers.start()
        for (const tab of tabs) expect(await tab.page.evaluate(STATUS_OF_OTHER)).toBe(200)
        for (const tab of tabs) await tab.has(20)
        await numbers.stop()
        for (const tab of tabs) {
          const seen = await tab.has(numbers.count)
          expect(seen).toMatchObject({ numbers: numbers.all, transport, failures: [], resets: [], slow: 0 })
          expect(seen.states).toEqual(['connecting', 'connected'])
        }
        await site.holds(HELD)
      },
      30_000,
    )
  }

  testInChromium(
    'in tabs, of which some are closed: others take their place',
    async () => {
      const tabs = await openTabs(6, 'streaming')
      for (const tab of tabs.slice(0, 3)) await tab.page.close({ runBeforeUnload: true })
      await site.holds(3)
      await site.numbers.send(20)
      for (const tab of tabs.slice(3)) {
        const seen = await tab.has(20)
        expect(seen).toMatchObject({ numbers: site.numbers.all, failures: [], resets: [] })
        expect(seen.states).toEqual(['connecting', 'connected'])
      }
    },
    30_000,
  )

  testInChromium(
    'with forty channels in one tab leave room, and each is given all',
    async () => {
      const [tab] = await openTabs(1, 'streaming')
      const { page } = tab!
      await page.evaluate(OPEN_CHANNELS(39))
      const connected = `many.every(({ channel }) => channel.state === 'connected')`
      await page.waitForFunction(connected)
      await site.holds(HELD)
      const { numbers } = site
      await numbers.send(20)
      expect(await page.evaluate(STATUS_OF_OTHER)).toBe(200)
      await page.waitForFunction('many.every(({ numbers }) => numbers.length >= 20)')
      await numbers.send(20)
      expect(await page.evaluate(STATUS_OF_OTHER)).toBe(200)
      await page.waitForFunction('many.every(({ numbers }) => numbers.length >= 40)')
      expect((await tab!.has(40)).numbers).toEqual(numbers.all)
      const states = ['connecting', 'connected']
      for (const each of await page.evaluate<Counted[]>(MANY)) {
        expect(each).toEqual({ numbers: numbers.all, states, failures: [], resets: 0 })
      }
    },
    60_000,
  )
})
