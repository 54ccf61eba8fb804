import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ROOT } from '../support/consumer-folder.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { ChannelPage } from './channel-page.ts'
import { Numbers } from './numbers.ts'

/** As `npm run build` left it. */
const SERVER = 'dist/__tests__/browser/sqlite-server.js'

const SEND_AGAIN_MS = 20
/** Processes are started, and pages pause for up to some seconds. */
const LIMIT_MS = 60_000
/** So many numbers are on their way before and after whatever happens. */
const SOME = 20

describe('The pages of a server over SQLite', () => {
  let browser: Browser
  let context: BrowserContext
  let folder: string
  let port: number
  let server: RunningModule
  let numbers: Numbers
  let tabs: ChannelPage[]
  let isOver: boolean

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'koa-comet-browser-'))
    port = await freePort()
    await start()
    isOver = false
    numbers = new Numbers(send)
    context = await browser.newContext()
    tabs = [
      await ChannelPage.open(await context.newPage(), server.origin),
      await ChannelPage.open(await context.newPage(), server.origin),
    ]
    for (const tab of tabs) await tab.connected()
    numbers.start()
    await everybodyGoesOn()
  })
  afterEach(async () => {
    isOver = true
    await numbers?.stop()
    await context?.close()
    await server?.stop()
    await rm(folder, { recursive: true })
  })
  afterAll(() => browser?.close())

  async function start(): Promise<void> {
    server = await startServer([process.execPath, SERVER], ROOT, port, {
      FILE: join(folder, 'channel.db'),
      PORT: String(port),
    })
  }

  /** Whether a number whose answer is missing was sent, nobody knows: it is sent again, under the same key. */
  async function send(number: number): Promise<void> {
    while (!isOver) {
      try {
        if ((await fetch(`http://127.0.0.1:${port}/send?number=${number}`)).ok) return
      } catch {
        // Nobody listens there.
      }
      await pause(SEND_AGAIN_MS)
    }
  }

  async function everybodyGoesOn(): Promise<void> {
    const { count } = numbers
    for (const tab of tabs) await tab.has(count + SOME)
  }

  /** Each page has been given all numbers once and in order, was told of no reset, and knows nothing but streams. */
  async function expectNothingLost(): Promise<void> {
    await everybodyGoesOn()
    await numbers.stop()
    for (const tab of tabs) {
      const seen = await tab.has(numbers.count)
      expect(seen.numbers).toEqual(numbers.all)
      expect([seen.state, seen.resets]).toEqual(['connected', []])
      expect([...new Set([...seen.transports, seen.transport])]).toEqual(['streaming'])
      expect([...new Set(tab.asked)]).toEqual(['script', 'register', 'stream'])
      expect(tab.count('register')).toBe(1)
    }
  }

  testInChromium(
    'go on by streams where they were, when it is killed, and again as soon as they are back',
    async () => {
      for (const kills of [1, 2]) {
        await server.stop()
        // The cut, and that nobody is there: who finds another there at once may take it for a proxy that cuts streams.
        for (const tab of tabs) await tab.until(({ failures }) => failures.length >= 2 * kills)
        await start()
        for (const tab of tabs) await tab.connected()
        await everybodyGoesOn()
      }
      await expectNothingLost()
    },
    LIMIT_MS,
  )

  testInChromium(
    'go on by streams where they were, when it is told to end',
    async () => {
      server.signal('SIGTERM')
      expect(await server.exited).toBe(0)
      await start()
      await expectNothingLost()
      for (const tab of tabs) expect(tab.count('stream')).toBeGreaterThanOrEqual(2)
    },
    LIMIT_MS,
  )
})
