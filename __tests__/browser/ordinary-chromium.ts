import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'
import { freePort } from '../support/running-module.ts'
import { closeSites } from '../support/site.ts'

/** A browser as people have it. */
interface OrdinaryChromium {
  /** Of its windows, one tab is in front, and the others are hidden. */
  readonly context: BrowserContext
  close(): Promise<void>
}

/** What playwright adds so that pages that nobody sees behave as those in front, and none is kept that was left. */
const UNUSUAL = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
]

/** A Chromium that throttles what is in the background: there, timers go off once a second. */
async function launchOrdinaryChromium(): Promise<OrdinaryChromium> {
  const port = await freePort()
  const launched = await launchChromium({
    args: [`--remote-debugging-port=${port}`],
    ignoreDefaultArgs: UNUSUAL,
  })
  // To the pages of its own contexts playwright says that each is in front.
  const browser: Browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
  return {
    context: browser.contexts()[0]!,
    async close() {
      await browser.close()
      await launched.close()
    },
  }
}

/** For a `describe`: its tests share one window, and leave no tab and no site open. */
export function useOrdinaryWindow(): () => BrowserContext {
  let ordinary: OrdinaryChromium
  beforeAll(async () => {
    ordinary = await launchOrdinaryChromium()
  })
  afterEach(async () => {
    for (const tab of ordinary.context.pages()) await tab.close()
    await closeSites()
  })
  afterAll(() => ordinary?.close())
  return () => ordinary.context
}
