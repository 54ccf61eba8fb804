import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals'
import type { Middleware } from 'koa'
import compress from 'koa-compress'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites } from '../support/site.ts'
import { openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

describe('A page in Chromium', () => {
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

  testInChromium('is served by streams: each number comes once and in order', async () => {
    const { origin, numbers, channel } = await openBrowserSite()
    const page = await ChannelPage.open(await browser.newPage(), origin)
    await page.connected()
    for (const count of countTo(20)) {
      await numbers.send(1)
      await page.has(count)
    }
    await numbers.send(500)
    const { transport, failures, resets, timeouts, ...seen } = await page.has(520)
    expect(seen.numbers).toEqual(numbers.all)
    expect({ transport, failures, resets, timeouts }).toEqual({
      transport: 'streaming',
      failures: [],
      resets: [],
      timeouts: 0,
    })
    expect(page.asked).toEqual(['script', 'register', 'stream'])
    expect(page.output).toEqual([])
    expect(channel.stats().heldRequests).toBe(1)
  })

  testInChromium('sees and shows nothing of the rotation of its stream, and misses nothing', async () => {
    // The server's time. The page's goes on as ever.
    fakeTime()
    const { origin, numbers, channel } = await openBrowserSite()
    let subscribed = 0
    channel.on('clientSubscribed', () => {
      subscribed += 1
    })
    const page = await ChannelPage.open(await browser.newPage(), origin)
    await page.connected()
    for (const rotation of countTo(3)) {
      await numbers.send(5)
      await passSeconds(600)
      await numbers.send(5)
      await eventually(() => subscribed === rotation + 1)
    }
    await numbers.send(1)
    const seen = await page.has(numbers.count)
    expect(seen.numbers).toEqual(numbers.all)
    expect(seen).toMatchObject({ states: ['connecting', 'connected'], failures: [], resets: [], slow: 0 })
    expect(seen.timeouts).toBe(0)
    expect(page.asked).toEqual(['script', 'register', 'stream', 'stream', 'stream', 'stream'])
    expect(page.output).toEqual([])
  })

  testInChromium('is served by streams also behind koa-compress that compresses all it can', async () => {
    const { origin, numbers } = await openBrowserSite({}, [
      compress({ threshold: 0, filter: () => true }) as Middleware,
    ])
    const tab = await browser.newPage()
    const encodings = new Map<string, string | undefined>()
    tab.on('response', (response) => {
      encodings.set(new URL(response.url()).pathname, response.headers()['content-encoding'])
    })
    const page = await ChannelPage.open(tab, origin)
    await page.connected()
    for (const count of countTo(5)) {
      await numbers.send(1)
      await page.has(count)
    }
    expect(page.asked).toEqual(['script', 'register', 'stream'])
    // It does compress.
    expect(encodings.get('/')).toBe('br')
    expect(encodings.get('/comet')).toBeUndefined()
  })
})
