import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

/** A page that sees no sign of the server for twice that gives its stream up. */
const KEEP_ALIVE_SECONDS = 0.5
const BLOCKED_MS = 1500

/** A page whose loop is busy for a quarter of that ends its stream, and polls until it is ready. */
const IDLE_SECONDS = 4

const BLOCK = `{
  const endMs = performance.now() + ${BLOCKED_MS}
  while (performance.now() < endMs);
}`

/** A loop whose body takes until it is released. */
const LOOP = `
  globalThis.looped = []
  const released = new Promise((resolve) => { globalThis.release = resolve })
  const loop = async () => {
    for await (const { c } of channel) {
      looped.push(c)
      await released
    }
  }
  void loop()
`

describe('A page that is busy', () => {
  let browser: Browser
  let site: BrowserSite
  let page: ChannelPage

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    site = await openBrowserSite({
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      connectionIdleSeconds: IDLE_SECONDS,
    })
    page = await ChannelPage.open(await browser.newPage(), `${site.origin}?paused`)
  })
  afterEach(async () => {
    await site?.numbers.stop()
    for (const context of browser.contexts()) await context.close()
    await closeSites()
  })
  afterAll(() => browser?.close())

  testInChromium('with its handler for long takes nothing for silence, and is given all', async () => {
    await page.page.evaluate(`channel.on('Number', (number) => { if (number === 5) ${BLOCK} })`)
    await page.page.evaluate('channel.subscribe()')
    await page.connected()
    site.numbers.start()
    await page.has(50)
    // As long as something else.
    await page.page.evaluate(BLOCK)
    await page.has(site.numbers.count + 20)
    await site.numbers.stop()
    const seen = await page.has(site.numbers.count)
    expect(seen.numbers).toEqual(site.numbers.all)
    expect(seen).toMatchObject({ states: ['connecting', 'connected'], failures: [], resets: [] })
    expect(page.asked).toEqual(['script', 'register', 'stream'])
  })

  testInChromium('in the body of a loop lets go of its stream, and goes on by stream after it', async () => {
    await page.page.evaluate(LOOP)
    await page.page.evaluate('channel.subscribe()')
    await page.connected()
    await site.numbers.send(100)
    // It shows now and then that it lives.
    while (page.count('poll') < 2) await page.has(1)
    expect(await page.page.evaluate('looped')).toEqual([0])
    await site.numbers.send(100)
    await page.page.evaluate('release()')
    const seen = await page.has(site.numbers.count)
    expect(seen).toMatchObject({ numbers: site.numbers.all, failures: [], resets: [] })
    expect([seen.states, seen.transport]).toEqual([['connecting', 'connected'], 'streaming'])
    expect(await page.page.evaluate('looped')).toEqual(site.numbers.all)
    await site.holds(1)
    await site.numbers.send(1)
    await page.has(site.numbers.count)
    expect(page.count('stream')).toBe(2)
    expect(page.asked.at(-1)).toBe('stream')
  })
})
