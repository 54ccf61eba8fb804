import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { block, replaced } from './blocks.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

/** A channel at which pages register, and a page beside it. */
function openPage(html: string): Promise<Site> {
  return openSite({
    options: { register: () => ({}) },
    before: [(ctx, next) => (ctx.path === '/' ? Object.assign(ctx, { type: 'html', body: html }) : next())],
  })
}

describe('Without the browser client, as the reference shows it,', () => {
  testInChromium(
    'a page with a native EventSource shows what is sent, goes on after a cut, and says goodbye',
    async () => {
      const { channel, served } = await openPage(block('event-source'))
      const browser = await launchChromium()
      // The cookie goes over plain HTTP, and the process says so.
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
      try {
        const page = await browser.newPage()
        const shown = (): Promise<string[]> => page.locator('li').allTextContents()
        const shows = (...texts: string[]): Promise<unknown> =>
          page.waitForFunction((count) => document.querySelectorAll('li').length >= count, texts.length)
        await page.goto(served.origin)
        await eventually(() => channel.stats().heldRequests === 1)
        await channel.sendMessage('Count', 1)
        await shows('1')
        served.server.closeAllConnections()
        await channel.sendMessage('Count', 2)
        await shows('1', '2')
        await channel.sendMessage('Count', 3)
        await shows('1', '2', '3')
        expect(await shown()).toEqual(['Count: 1', 'Count: 2', 'Count: 3'])
        let isGone = false
        channel.on('clientDisconnected', (_client, { reason }) => {
          isGone = reason === 'goodbye'
        })
        await page.goto('about:blank')
        await eventually(() => isGone)
        expect(warn.mock.calls.map(([, detail]) => detail)).toEqual([{ code: 'KOA_COMET_PLAIN_COOKIE' }])
      } finally {
        await browser.close()
      }
    },
    60_000,
  )

  test('curl shows a stream as it comes', async () => {
    const { channel, served } = await openPage('')
    const commands = block('curl').replaceAll('http://localhost:3000', served.origin)
    expect(replaced(commands, served.origin, '')).not.toBe(commands)
    const shell = execFile('sh', ['-c', commands.replace(/\ncurl/, '\nexec curl')])
    let shown = ''
    shell.stdout?.on('data', (text: string) => {
      shown += text
    })
    const ended = once(shell, 'exit')
    try {
      await eventually(() => channel.stats().heldRequests === 1)
      const mid = await channel.sendMessage('Time', 'now')
      await eventually(() => shown.includes('"c":"now"'))
      const { epoch } = channel.cursor()
      expect(shown).toContain(`id: ${epoch}:${mid}\ndata: {"mid":${mid},"n":"Time","c":"now"}\n\n`)
    } finally {
      shell.kill()
      await ended
    }
  })
})
