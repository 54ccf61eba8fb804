import { describe, expect } from '@jest/globals'
import { testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy/fault-proxy.ts'
import { countTo } from '../support/raw-page.ts'
import { openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'
import { MOVABLE_CLOCK } from './movable-clock.ts'
import { useOrdinaryWindow } from './ordinary-chromium.ts'

const TRANSPORTS = ['streaming', 'long-polling']

/** A page that sees no sign of the server for twice that gives its stream up. */
const KEEP_ALIVE_SECONDS = 0.5

/** In the background, each timer waits for the next whole second. */
const THROTTLED_MS = 900
/** As many as a page that needed a timer for each would be given in more time than the test has. */
const MANY = 40

/** Longer than any page that is awake waits for a sign. */
const SLEPT_MS = 600_000

/** How long the longest of three timers took, one set by the other, of which each asks for 10 ms. */
const LONGEST_TIMER_MS = `(async () => {
  let longestMs = 0
  for (let timers = 0; timers < 3; timers += 1) {
    const setAtMs = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 10))
    longestMs = Math.max(longestMs, performance.now() - setAtMs)
  }
  return longestMs
})()`

/** What a page does now and then by itself, it does not do in this one. */
const WITHOUT_INTERVALS = 'globalThis.setInterval = () => 0'

describe('A page in the background', () => {
  const window = useOrdinaryWindow()

  async function open(url: string, ...scripts: string[]): Promise<ChannelPage> {
    const tab = await window().newPage()
    for (const script of scripts) await tab.addInitScript(script)
    const opened = await ChannelPage.open(tab, url)
    await opened.connected()
    return opened
  }

  /** Opens another tab in the same window, in front of the page. */
  async function hide(page: ChannelPage): Promise<void> {
    await page.page.evaluate(`void open('/other')`)
    await page.until(({ visibility }) => visibility === 'hidden')
  }

  testInChromium('whose timers are throttled is served at once, and takes nothing for silence', async () => {
    const { origin, numbers } = await openBrowserSite({ keepAliveSeconds: KEEP_ALIVE_SECONDS })
    const tabs = await Promise.all(TRANSPORTS.map((transport) => open(`${origin}?transports=${transport}`)))
    await Promise.all(tabs.map(hide))
    const longestMs = await Promise.all(tabs.map(({ page }) => page.evaluate<number>(LONGEST_TIMER_MS)))
    for (const each of longestMs) expect(each).toBeGreaterThan(THROTTLED_MS)
    for (const _ of countTo(MANY)) {
      await numbers.send(1)
      for (const tab of tabs) await tab.has(numbers.count)
    }
    for (const tab of tabs) {
      // Everything that was due goes off.
      await tab.page.bringToFront()
      await tab.until(({ visibility }) => visibility === 'visible')
      await numbers.send(1)
      const seen = await tab.has(numbers.count)
      expect(seen.numbers).toEqual(numbers.all)
      expect(seen.states).toEqual(['connecting', 'connected'])
      expect([seen.failures, seen.resets, seen.slow]).toEqual([[], [], 0])
    }
    expect(tabs[0]!.asked).toEqual(['script', 'register', 'stream'])
  })

  for (const transport of TRANSPORTS) {
    testInChromium(
      `that is frozen lets go of its request, and asks at once when it is not: ${transport}`,
      async () => {
        const { origin, numbers, holds } = await openBrowserSite()
        const page = await open(`${origin}?transports=${transport}`)
        await hide(page)
        const session = await window().newCDPSession(page.page)
        await session.send('Page.setWebLifecycleState', { state: 'frozen' })
        await holds(0)
        await numbers.send(20)
        await session.send('Page.setWebLifecycleState', { state: 'active' })
        const { life, states, ...seen } = await page.has(numbers.count)
        expect(seen).toMatchObject({ numbers: numbers.all, failures: [], resets: [] })
        expect(life.slice(-2)).toEqual(['freeze', 'resume'])
        expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
      },
    )
  }

  testInChromium('that slept, and whose stream is dead, asks at once when it is in front again', async () => {
    const { channel, numbers, port } = await openBrowserSite()
    // Enough for the beginning, and not for what follows.
    const proxy = await FaultProxy.open(port, (request) =>
      request.includes('text/event-stream') ? { kind: 'half-open', afterBytes: 10_000 } : undefined,
    )
    try {
      const page = await open(proxy.origin, MOVABLE_CLOCK, WITHOUT_INTERVALS)
      await hide(page)
      // Written at once: with the number, the page has the last that will come.
      await Promise.all([numbers.send(1), channel.sendMessage('Filling', 'x'.repeat(10_000))])
      await page.has(1)
      await eventually(() => proxy.hits['half-open'] === 1)
      proxy.choose = () => undefined
      await numbers.send(20)
      await page.page.evaluate(`skip(${SLEPT_MS})`)
      expect(await page.seen()).toMatchObject({ state: 'connected', numbers: [0] })
      await page.page.bringToFront()
      const seen = await page.has(numbers.count)
      expect(seen).toMatchObject({ numbers: numbers.all, failures: [], resets: [] })
      expect(page.count('stream')).toBe(2)
    } finally {
      await proxy.close()
    }
  })
})
