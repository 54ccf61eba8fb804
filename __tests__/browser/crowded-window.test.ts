import { describe, expect } from '@jest/globals'
import { testInChromium } from '../support/chromium.ts'
import { countTo } from '../support/raw-page.ts'
import { HELD, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'
import { useOrdinaryWindow } from './ordinary-chromium.ts'

describe('Over HTTP/1.1, of the tabs of one window', () => {
  const window = useOrdinaryWindow()

  testInChromium(
    'the one in front is always served at once, whichever that is, and none misses anything',
    async () => {
      const { origin, numbers, holds } = await openBrowserSite()
      const tabs: ChannelPage[] = []
      for (const _ of countTo(7)) {
        const tab = await ChannelPage.open(await window().newPage(), origin)
        tabs.push(tab)
        await tab.connected()
      }
      await holds(HELD)
      for (const tab of [tabs[6]!, tabs[0]!, tabs[3]!, tabs[6]!, tabs[1]!]) {
        await tab.page.bringToFront()
        await tab.until(({ visibility }) => visibility === 'visible')
        for (const each of tabs) {
          if (each !== tab) await each.until(({ visibility }) => visibility === 'hidden')
        }
        // If it has no place, then after its pause.
        await numbers.send(1)
        await tab.has(numbers.count)
        await holds(HELD)
        const { asked } = tab
        const before = asked.length
        for (const _ of countTo(20)) {
          await numbers.send(1)
          await tab.has(numbers.count)
        }
        // All by the one stream.
        expect(asked.length - before).toBeLessThanOrEqual(1)
      }
      for (const tab of tabs) {
        const seen = await tab.has(numbers.count)
        expect(seen).toMatchObject({ numbers: numbers.all, failures: [], resets: [], slow: 0 })
        expect(seen.states).toEqual(['connecting', 'connected'])
      }
    },
    60_000,
  )
})
