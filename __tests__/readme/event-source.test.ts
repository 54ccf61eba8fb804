import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Middleware } from 'koa'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import type { Page } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { block, replaced } from './blocks.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

const REGISTERS = { register: () => ({}) }

/** A channel at which pages register, and a page beside it. */
function openPage(html: string, ...before: Middleware[]): Promise<Site> {
  return openSite({
    options: REGISTERS,
    before: [
      (ctx, next) => (ctx.path === '/' ? Object.assign(ctx, { type: 'html', body: html }) : next()),
      ...before,
    ],
  })
}

const shown = (page: Page): Promise<string[]> => page.locator('li').allTextContents()

/** Waits until a page shows this text. */
const shows = (page: Page, text: string): Promise<unknown> =>
  page.locator('li').getByText(text, { exact: true }).waitFor()

/** The cookie goes over plain HTTP, and the process says so. */
const spyOnWarnings = () => jest.spyOn(process, 'emitWarning').mockImplementation(() => {})

let warn: ReturnType<typeof spyOnWarnings>

beforeEach(() => {
  warn = spyOnWarnings()
})

describe('Without the browser client, as the reference shows it,', () => {
  testInChromium(
    'a page with a native EventSource shows what is sent, goes on after a cut, and says goodbye',
    async () => {
      const { channel, served } = await openPage(block('event-source'))
      const browser = await launchChromium()
      try {
        const page = await browser.newPage()
        await page.goto(served.origin)
        await eventually(() => channel.stats().heldRequests === 1)
        await channel.sendMessage('Count', 1)
        await shows(page, 'Count: 1')
        served.server.closeAllConnections()
        await channel.sendMessage('Count', 2)
        await shows(page, 'Count: 2')
        await channel.sendMessage('Count', 3)
        await shows(page, 'Count: 3')
        expect(await shown(page)).toEqual(['Count: 1', 'Count: 2', 'Count: 3'])
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

  testInChromium(
    'a page whose client is lost, and whose proxy says that the server is away, registers anew when it is back',
    async () => {
      let isAway = false
      let refused = 0
      let restarted: Middleware | undefined
      const proxy: Middleware = (ctx, next) => {
        if (!isAway) return restarted ? restarted(ctx, next) : next()
        refused += 1
        ctx.status = 502
      }
      const { channel, served } = await openPage(block('event-source'), proxy)
      const second = new CometStateManager(new InProcCometStateProvider(), REGISTERS)
      const browser = await launchChromium()
      try {
        const page = await browser.newPage()
        await page.goto(served.origin)
        await eventually(() => channel.stats().heldRequests === 1)
        await channel.sendMessage('Count', 1)
        await shows(page, 'Count: 1')
        isAway = true
        served.server.closeAllConnections()
        await eventually(() => refused >= 2)
        isAway = false
        restarted = second.mount('/comet')
        await eventually(() => second.stats().heldRequests === 1)
        await second.sendMessage('Count', 2)
        await shows(page, 'Count: 2')
        expect(await shown(page)).toEqual(['Count: 2'])
      } finally {
        await browser.close()
        await second.close({ overSeconds: 0 })
      }
    },
    60_000,
  )

  testInChromium(
    'two tabs share the cookie, and both are told what is sent, also after a cut',
    async () => {
      const { channel, served, holds } = await openPage(block('event-source'))
      const browser = await launchChromium()
      try {
        const context = await browser.newContext()
        const tabs = [await context.newPage(), await context.newPage()]
        for (const [index, tab] of tabs.entries()) {
          await tab.goto(served.origin)
          await holds(index + 1)
        }
        await channel.sendMessage('Count', 1)
        for (const tab of tabs) await shows(tab, 'Count: 1')
        served.server.closeAllConnections()
        await holds(0)
        await holds(2)
        await channel.sendMessage('Count', 2)
        for (const tab of tabs) await shows(tab, 'Count: 2')
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
