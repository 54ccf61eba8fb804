import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { testWithRedis } from '../support/redis/redis-available.ts'
import { ClusterWindow } from './cluster-window.ts'
import { KeptPages } from './kept-pages.ts'
import { type SampleProcess, startSample } from './sample-process.ts'

/** It needs both. */
const testInCluster = testWithRedis === test ? testInChromium : testWithRedis

describe('a page of the cluster', () => {
  let browser: Browser
  let pages: KeptPages
  let cluster: SampleProcess

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
    cluster = await startSample('cluster')
  })
  afterEach(() => pages.leave())
  afterAll(async () => {
    await browser?.close()
    await cluster?.end('SIGTERM')
  })

  testInCluster('does not even reconnect when the node that has its stream is restarted gently', async () => {
    const window = await ClusterWindow.open(await pages.open(), cluster.origin)
    await window.press('Keep sending')
    const node = await window.streamNode()
    const process = window.page.locator(`.node[data-node="${node}"] .state`)
    const before = /process \d+/.exec((await process.textContent())!)![0]
    await window.press(`Restart gently node ${node}`)
    await process.filter({ hasText: /Alive.*process/, hasNotText: before }).waitFor()
    await window.isServedBy(node)
    await window.press('Keep sending')
    await window.isAnswered()
    expect(await window.streams()).toBeGreaterThan(1)
    expect(await window.figure('reconnects')).toBe(0)
    expect(await window.troubles()).toEqual({ lost: 0, twice: 0, resets: 0 })
  })

  testInCluster('notices a line that is lost, and one that comes twice', async () => {
    const window = await ClusterWindow.open(await pages.open(), cluster.origin)
    const found = await window.page.evaluate(async () => {
      const { Ledger } = await import(`${location.origin}/ledger.js`)
      const ledger = new Ledger('own')
      for (const number of [1, 2, 2, 5]) ledger.note({ series: 'own', number })
      for (const number of [7, 8, 10]) ledger.note({ series: 'another', number })
      const { back, lost, twice } = ledger
      return { back, lost, twice }
    })
    expect(found).toEqual({ back: 3, lost: 3, twice: 1 })
  })

  testInCluster('shows no node as alive while it reaches nobody, and lets none be killed', async () => {
    const { page } = await ClusterWindow.open(await pages.open(), cluster.origin)
    await page.route('**/nodes', (route) => route.abort())
    await page.locator('.node[data-state="dead"]').nth(2).waitFor()
    expect(await page.locator('.node .state').allTextContents()).toEqual(Array(3).fill('Nobody answers'))
    expect(await page.locator('.node button[aria-disabled="true"]').count()).toBe(6)
    await page.unroute('**/nodes')
    await page.locator('.node[data-state="running"]').nth(2).waitFor()
  })

  testInCluster(
    'gets each line once and in order while the nodes are killed one after another, by streams and by polls',
    async () => {
      const one = await ClusterWindow.open(await pages.open(), cluster.origin)
      await one.press('Keep sending')
      for (const name of ['1', '2', '3']) await one.isServedBy(name)
      const two = await ClusterWindow.open(await pages.open(), `${cluster.origin}/?polls`)
      await two.press('Keep sending')
      const windows = [one, two]
      await one.seesPage(await two.name())
      await two.seesPage(await one.name())

      await one.press('Kill node 1')
      await one.node('1', 'Dead')
      for (const window of windows) await window.moreLines()
      await two.press('Kill node 2')
      await two.node('2', 'Dead')
      for (const window of windows) await window.moreLines()
      await one.node('1', 'Alive')
      await two.press('Kill node 3')
      await one.node('3', 'Dead')
      for (const window of windows) await window.isServedBy('1')
      for (const window of windows) await window.press('Keep sending')

      for (const window of windows) await window.isAnswered()
      for (const [window, other] of [
        [one, two],
        [two, one],
      ] as const) {
        const name = await other.name()
        const last = `Line ${await other.figure('sent')} of ${name}`
        await window.page.getByText(last, { exact: true }).waitFor()
        const lines = await window.lines()
        const own = lines.filter(({ isOwn }) => isOwn).map(({ number }) => number)
        const others = lines.filter(({ by }) => by === name).map(({ number }) => number)
        expect(own).toEqual(Array.from(own, (_, index) => index + 1))
        expect(own.length).toBe(await window.figure('sent'))
        expect(others).toEqual(Array.from(others, (_, index) => others[0]! + index))
        expect(await window.troubles()).toEqual({ lost: 0, twice: 0, resets: 0 })
        expect(window.errors).toEqual([])
      }
    },
  )
})
