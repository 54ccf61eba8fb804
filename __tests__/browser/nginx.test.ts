import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { block } from '../readme/blocks.ts'
import { describeBehindNginx, type Nginx, startNginx } from '../readme/nginx.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites } from '../support/site.ts'
import { type BrowserSite, openBrowserSite } from './browser-site.ts'
import { ChannelPage } from './channel-page.ts'

/** As most have it: HTTP/1.0 to the app, and answers buffered. */
const BARE = 'location / { proxy_pass http://127.0.0.1:3000; }'

describeBehindNginx('A page of Chromium through nginx', () => {
  let browser: Browser
  let site: BrowserSite
  let nginx: Nginx | undefined

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    site = await openBrowserSite()
  })
  afterEach(async () => {
    await site.numbers.stop()
    for (const context of browser.contexts()) await context.close()
    await nginx?.close()
    nginx = undefined
    await closeSites()
  })
  afterAll(() => browser?.close())

  for (const [what, location] of [
    ['as the README shows it', block('proxy')],
    ['that only passes on', BARE],
  ] as const) {
    testInChromium(`${what} is served by streams, and goes on when nginx is started again`, async () => {
      nginx = await startNginx(location, site.port)
      const page = await ChannelPage.open(await browser.newPage(), nginx.origin)
      await page.connected()
      for (const _ of countTo(10)) {
        await site.numbers.send(1)
        await page.has(site.numbers.count)
      }
      site.numbers.start()
      await nginx.restart()
      await page.has(site.numbers.count + 10)
      await site.numbers.stop()
      const seen = await page.has(site.numbers.count)
      expect(seen).toMatchObject({ numbers: site.numbers.all, transport: 'streaming', resets: [] })
      expect([...new Set(page.asked)]).toEqual(['script', 'register', 'stream'])
    })
  }
})
