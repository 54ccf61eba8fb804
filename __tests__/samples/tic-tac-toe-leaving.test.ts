import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { createTicTacToe } from '../../samples/tic-tac-toe/app.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningSample, runSample } from './running-sample.ts'
import { startSample } from './sample-process.ts'
import { GameWindow } from './tic-tac-toe-window.ts'

describe('a game of tic-tac-toe', () => {
  let browser: Browser
  let pages: KeptPages
  let running: RunningSample

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    running = await runSample(createTicTacToe())
  })
  afterEach(async () => {
    await pages.leave()
    await running.close()
  })
  afterAll(() => browser?.close())

  const open = async (address = `${running.origin}/#g`) => GameWindow.open(await pages.open(), address)

  testInChromium('is lost by who leaves for another game, at once, or closes the tab, soon', async () => {
    const x = await GameWindow.open(await pages.openNew(), `${running.origin}/#g`)
    const o = await open()
    const watcher = await open()
    await x.playAgainst(o, [4], [watcher])
    const [name] = await o.page.locator('#players bdi').allTextContents()
    await x.page.close({ runBeforeUnload: true })

    const [left, right] = [await open(`${running.origin}/#h`), await open(`${running.origin}/#h`)]
    await left.playAgainst(right, [4, 0])
    await right.page.getByRole('button', { name: 'Leave for another game' }).click()
    await right.says('Waiting for a second player')
    expect(await right.board()).toBe('---------')
    expect(await right.people(1)).toHaveLength(1)
    await left.says('You have won!')
    await right.page.goBack()
    await right.says('You have left.')

    await o.says(`${name} has left. You have won!`)
    await watcher.says(`${name} has left.`)
    expect(await watcher.people(2)).not.toContain(name)
    // The place is free for who has watched.
    await watcher.playAgain()
    await o.playAgainst(watcher, [0, 4])
  })

  testInChromium('begins anew when its server was killed and started again, and says why', async () => {
    let server = await startSample('tic-tac-toe')
    const x = await open(`${server.origin}/#g`)
    const o = await open(`${server.origin}/#g`)
    await x.playAgainst(o, [4])
    await server.end('SIGKILL')
    await x.state('Reconnecting')
    server = await startSample('tic-tac-toe', server.port)
    try {
      for (const window of [x, o]) {
        await window.page.getByText('The server has restarted').waitFor()
        await window.says(/turn/)
        expect(await window.board()).toBe('---------')
        expect(await window.people(2)).toHaveLength(2)
      }
    } finally {
      expect(await server.end('SIGTERM')).toBe(0)
    }
  })
})
