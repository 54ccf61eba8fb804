import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser, Route } from 'playwright-core'
import { createTicTacToe, type TicTacToe } from '../../samples/tic-tac-toe/app.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { type CuttableLink, linkTo } from '../support/cuttable-link.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningSample, runSample } from './running-sample.ts'
import { GameWindow } from './tic-tac-toe-window.ts'

describe('tic-tac-toe', () => {
  let browser: Browser
  let pages: KeptPages
  let sample: TicTacToe
  let running: RunningSample
  /** The way of the first player. The others' is direct. */
  let link: CuttableLink

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    sample = createTicTacToe()
    running = await runSample(sample)
    link = await linkTo(running.port)
  })
  afterEach(async () => {
    await pages.leave()
    await link.close()
    await running.close()
  })
  afterAll(() => browser?.close())

  const open = async (address = `${running.origin}/#g`) => GameWindow.open(await pages.open(), address)

  async function openTwo(): Promise<[GameWindow, GameWindow]> {
    return [await open(`${link.origin}/#g`), await open()]
  }

  /** The boards that the server has told, without repetitions. */
  function boardsTold(): string[] {
    const boards = sample.channel
      .getMessages({ group: 'g' })
      .map(({ contents }) => (contents as { board: (string | null)[] }).board)
    return boards.map((board) => board.map((mark) => mark ?? '-').join(''))
  }

  testInChromium('is played to a win and a draw by two, while a third sees all and cannot move', async () => {
    const x = await open(`${running.origin}/`)
    await x.says('Waiting for a second player')
    // Who is invited gets the address that the first one has been given.
    const invitation = await x.page.getByLabel('Who has this link').inputValue()
    expect(invitation).toBe(x.page.url())
    const o = await open(invitation)
    const watcher = await open(invitation)
    for (const window of [x, o, watcher]) expect(await window.people(3)).toHaveLength(3)

    await o.click(0)
    await watcher.click(0)
    await x.playAgainst(o, [4, 0, 2], [watcher])
    expect(await watcher.board()).toBe('O-X-X----')
    await watcher.click(1)
    await o.playAgainst(x, [1, 6], [watcher])
    await x.says('You have won!')
    const [name] = await x.page.locator('#players bdi').allTextContents()
    for (const window of [o, watcher]) await window.says(`${name!.replace(' (you)', '')} has won.`)
    await watcher.page.getByRole('button', { name: 'Play again' }).waitFor({ state: 'hidden' })

    // Places change.
    await x.playAgain()
    await o.playAgainst(x, [4, 0, 2, 6, 3, 5, 1, 7, 8], [watcher])
    for (const window of [x, o, watcher]) await window.says('A draw.')
    for (const window of [x, o, watcher]) expect(await window.note()).toBe('')
    for (const window of [x, o, watcher]) expect(window.complaints).toEqual([])
  })

  testInChromium('goes on after a reload at the same place, and shows nothing that is older', async () => {
    const [x, o] = await openTwo()
    await x.playAgainst(o, [4])
    // What the page is given when it enters is older, by then, than what it has been told.
    const overtakeAnswer = async (route: Route) => {
      const response = await route.fetch()
      await o.click(0)
      await x.shows(0, 'O')
      await route.fulfill({ response })
    }
    await x.page.route('**/comet/send', overtakeAnswer, { times: 1 })
    await x.page.reload()
    // They are asked for after that.
    await x.people(2)
    expect(await x.board()).toBe('O---X----')
    await x.playAgainst(o, [1, 2, 7])
    await x.says('You have won!')
    expect(x.complaints).toEqual([])
  })

  testInChromium('can be played and followed without a pointer or eyes', async () => {
    const [x, o] = await openTwo()
    await x.page.getByRole('button', { name: 'row 1, column 1: empty' }).focus()
    await x.page.keyboard.press('Tab')
    await x.page.keyboard.press('Enter')
    await o.page.getByRole('status').getByText('X: row 1, column 2. Your turn: you are O.').waitFor()
    await o.page.getByRole('group', { name: 'Board' }).getByRole('button').nth(8).press('Space')
    await x.page.getByRole('status').getByText('O: row 3, column 3. Your turn: you are X.').waitFor()
    // The focus is where it was.
    const focused = await x.page.evaluate(() => document.activeElement?.ariaLabel)
    expect(focused).toBe('row 1, column 2: X')
  })

  testInChromium('does a move once whose answer is lost with the connection', async () => {
    const [x, o] = await openTwo()
    // The server gets the request; the page never hears of it.
    const loseAnswer = async (route: Route) => {
      await route.fetch()
      link.cut()
      await route.abort()
    }
    await x.page.route('**/comet/send', loseAnswer, { times: 1 })
    await x.click(4)
    await o.shows(4, 'X')
    await x.state('Reconnecting')
    // The other one goes on meanwhile.
    await o.click(0)
    await o.shows(0, 'O')
    const repeated = x.page.waitForResponse('**/comet/send')
    link.mend()
    // It is told what the first attempt came to, and not that the square is taken.
    expect((await repeated).status()).toBe(200)
    await x.shows(0, 'O')
    expect(await x.note()).toBe('')
    await x.playAgainst(o, [8])
    expect(boardsTold().slice(2)).toEqual(['----X----', 'O---X----', 'O---X---X'])
  })

  testInChromium('shows a move that is not sent yet, and sends it when the network is back', async () => {
    const [x, o] = await openTwo()
    link.cut()
    await x.state('Reconnecting')
    await x.click(4)
    await x.shows(4, 'X, not sent yet')
    // No second one.
    await x.click(0)
    expect(await x.board()).toBe('----X----')
    link.mend()
    await o.shows(4, 'X')
    await x.shows(4, 'X')
    expect(boardsTold().slice(2)).toEqual(['----X----'])
  })
})
