import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { type Counter, createCounter } from '../../samples/counter/app.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { type CuttableLink, linkTo } from '../support/cuttable-link.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningSample, runSample } from './running-sample.ts'
import { startSample } from './sample-process.ts'

describe('the counter', () => {
  let browser: Browser
  let pages: KeptPages
  let counter: Counter
  let running: RunningSample
  let link: CuttableLink
  const complaints: string[] = []

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    counter = createCounter()
    running = await runSample(counter)
    link = await linkTo(running.port)
    complaints.length = 0
  })
  afterEach(async () => {
    await pages.leave()
    counter.stop()
    await link.close()
    await running.close()
  })
  afterAll(() => browser?.close())

  async function open(origin = link.origin): Promise<Page> {
    const page = await pages.open()
    page.setDefaultTimeout(15_000)
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(origin)
    await page.locator('#status').getByText('Connected').waitFor()
    return page
  }

  const press = (page: Page, name: string) => page.getByRole('button', { name }).click()

  /** Waits until the page shows at least this count, and returns what it shows. */
  async function atLeast(page: Page, count: number): Promise<number> {
    await page.waitForFunction(
      (least) => Number(document.querySelector('#count')?.textContent) >= least,
      count,
    )
    return Number(await page.locator('#count').textContent())
  }

  /** The counts that the success handler was told, oldest first. */
  async function told(page: Page): Promise<number[]> {
    const lines = await page.locator('#log li').allTextContents()
    const counts = lines.map((line) => /success, Counter (\d+)$/.exec(line)?.[1])
    return counts
      .filter((count) => count !== undefined)
      .map(Number)
      .reverse()
  }

  testInChromium('goes up in every window, each count once, with nothing in the console', async () => {
    const pages = [await open(), await open()]
    for (const page of pages) {
      await page.locator('#log li', { hasText: 'success' }).nth(2).waitFor()
      const counts = await told(page)
      expect(counts).toEqual(counts.map((_, index) => counts[0]! + index))
    }
    expect(complaints).toEqual([])
  })

  testInChromium('stops for all when one window stops the notifications, and times out then', async () => {
    const [one, two] = [await open(), await open()]
    await press(one, 'Stop notifications')
    await two.getByText('The server has stopped counting').waitFor()
    const stoppedAt = await two.locator('#count').textContent()
    await two.getByText('timeout, nothing new').first().waitFor()
    expect(await two.locator('#count').textContent()).toBe(stoppedAt)
    expect(await one.locator('#count').textContent()).toBe(stoppedAt)

    await press(two, 'Start notifications')
    await atLeast(one, Number(stoppedAt) + 1)
  })

  testInChromium('is not heard while polling is stopped, and then is, with nothing left out', async () => {
    const [one, two] = [await open(), await open()]
    await atLeast(one, 1)
    await press(one, 'Stop polling')
    await one.locator('#status').getByText('Not connected').waitFor()
    const paused = await atLeast(one, 0)
    await atLeast(two, paused + 2)
    expect(await atLeast(one, 0)).toBe(paused)

    await press(one, 'Start polling')
    await atLeast(one, paused + 3)
    const counts = await told(one)
    expect(counts.slice(counts.indexOf(paused)).slice(0, 4)).toEqual([
      paused,
      paused + 1,
      paused + 2,
      paused + 3,
    ])
  })

  testInChromium('says that the connection is lost, and resumes with nothing left out', async () => {
    const page = await open()
    const before = await atLeast(page, 1)
    link.cut()
    await page.locator('#status').getByText('Connection lost').waitFor()
    await page.getByText('COMET_CONNECTION_FAILED, tries again').first().waitFor()
    link.mend()
    await page.locator('#status').getByText('Connected').waitFor()
    await page.waitForFunction(
      (least) => Number(document.querySelector('#count')?.textContent) > least,
      before,
    )
    const counts = await told(page)
    expect(counts).toEqual(counts.map((_, index) => counts[0]! + index))
  })

  testInChromium('goes on after a reload as the same client', async () => {
    const page = await open()
    await atLeast(page, 1)
    await page.reload()
    await page.locator('#status').getByText('Connected').waitFor()
    await atLeast(page, 2)
    expect(counter.channel.stats().knownClients).toBe(1)
    expect(complaints).toEqual([])
  })

  testInChromium('registers anew when its server was killed and started again', async () => {
    let server = await startSample('counter')
    const page = await open(server.origin)
    await server.end('SIGKILL')
    await page.locator('#status').getByText('Connection lost').waitFor()
    server = await startSample('counter', server.port)
    try {
      await page.getByText('reset, forgotten').waitFor()
      await page.locator('#status').getByText('Connected').waitFor()
      await page.getByText('success, Counter').first().waitFor()
    } finally {
      expect(await server.end('SIGTERM')).toBe(0)
    }
  })
})
