import { afterEach, expect } from '@jest/globals'
import type { Middleware } from 'koa'
import type { WireMessage } from '../../lib/wire.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

declare global {
  interface Window {
    /** The events that the page's EventSource has dispatched. */
    seen: string[]
  }
}

testInChromium(
  'A keep-alive dispatches nothing in Chromium, and is where its EventSource comes again from',
  async () => {
    let privateToken = ''
    const cursors: string[] = []
    let bytesWritten = (): number => 0
    /** The page, and who asks for the stream: as if by a cookie. */
    const before: Middleware = (ctx, next) => {
      if (ctx.path === '/comet') {
        cursors.push(ctx.get('Last-Event-ID'))
        bytesWritten = () => ctx.req.socket.bytesWritten
        ctx.req.headers['comet-token'] = privateToken
        return next()
      }
      ctx.type = 'html'
      ctx.body = `<script>
        window.seen = []
        const source = new EventSource('/comet')
        source.onmessage = ({ data }) => seen.push(data)
      </script>`
      return undefined
    }
    const { channel, served, newClient } = await openSite({
      before: [before],
      options: { keepAliveSeconds: 0.1 },
    })
    const client = await newClient()
    privateToken = client.privateToken
    const other = await newClient()
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      await page.goto(served.origin)
      await page.waitForFunction(() => window.seen.length === 1)
      const own = await channel.sendMessage('M', 1, { to: client.publicToken })
      const mid = await channel.sendMessage('ForOther', 2, { to: other.publicToken })
      await page.waitForFunction(() => window.seen.length === 2)
      const written = bytesWritten()
      const keepAlive = Buffer.byteLength(`id: ${channel.cursor().epoch}:${mid}\n\n`)
      await eventually(() => bytesWritten() > written + 3 * keepAlive)
      served.server.closeAllConnections()
      await eventually(() => cursors.length === 2)
      expect(cursors).toEqual(['', `${channel.cursor().epoch}:${mid}`])
      await page.waitForFunction(() => window.seen.length === 3)
      const seen = await page.evaluate(() => window.seen)
      expect(seen.map((each) => JSON.parse(each) as WireMessage)).toMatchObject([
        { n: 'aspNetComet.opened' },
        { n: 'M', mid: own },
        { n: 'aspNetComet.opened' },
      ])
    } finally {
      await browser.close()
    }
  },
  60_000,
)
