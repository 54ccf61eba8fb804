import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { CometChannel } from 'koa-comet/client'
import { createTicTacToe, type TicTacToe } from '../../samples/tic-tac-toe/app.ts'
import type { GameView, Messages, Requests } from '../../samples/tic-tac-toe/messages.ts'
import { eventually } from '../support/eventually.ts'
import { type RunningSample, runSample } from './running-sample.ts'

/** A page without a view. */
class Page {
  readonly channel: CometChannel<Messages, Requests>
  /** Each view that the channel brought, with its id. */
  readonly told: { readonly mid: number; readonly game: GameView }[] = []
  /** What was told last. */
  game: GameView | undefined

  constructor(origin: string) {
    this.channel = new CometChannel(`${origin}/comet`, null, 'page', { storage: null })
    this.channel.on('Game', (game, { mid }) => {
      this.told.push({ mid, game })
      this.game = game
    })
    this.channel.subscribe()
  }

  enter(name: string): Promise<Requests['Enter']['result']> {
    return this.channel.send('Enter', { name })
  }

  move(square: number): Promise<null> {
    return this.channel.send('Move', { square })
  }
}

describe('The app of tic-tac-toe', () => {
  let sample: TicTacToe
  let running: RunningSample
  let pages: Page[]

  beforeEach(async () => {
    sample = createTicTacToe()
    running = await runSample(sample)
    pages = []
  })
  afterEach(async () => {
    await Promise.all(pages.map(({ channel }) => channel.leave()))
    await running.close()
  })

  function open(): Page {
    const page = new Page(running.origin)
    pages.push(page)
    return page
  }

  /** Two who play, and one who watches. */
  async function openThree(name: string): Promise<[Page, Page, Page]> {
    const three: [Page, Page, Page] = [open(), open(), open()]
    for (const page of three) await page.enter(name)
    return three
  }

  const refusal = (code: string) => expect.objectContaining({ name: 'CometError', code })

  test('refuses with a code of its own what is not allowed, whatever a page shows', async () => {
    const [x, o, watcher] = await openThree('g')
    await expect(watcher.move(0)).rejects.toThrow(refusal('NOT_A_PLAYER'))
    await expect(o.move(0)).rejects.toThrow(refusal('NOT_YOUR_TURN'))
    await x.move(0)
    await expect(o.move(0)).rejects.toThrow(refusal('SQUARE_IS_TAKEN'))
    await expect(o.move(12)).rejects.toThrow(refusal('NO_SUCH_SQUARE'))
    await expect(o.channel.send('Again')).rejects.toThrow(refusal('NOT_OVER_YET'))
    for (const [page, square] of [
      [o, 3],
      [x, 1],
      [o, 4],
      [x, 2],
    ] as const)
      await page.move(square)
    await expect(o.move(5)).rejects.toThrow(refusal('GAME_IS_OVER'))
    await expect(watcher.channel.send('Again')).rejects.toThrow(refusal('NOT_A_PLAYER'))
    await o.channel.send('Again')
    await o.move(8)
    await eventually(() => [x, o, watcher].every(({ game }) => game?.board[8] === 'X'))
  })

  test.each([null, {}, { name: 7 }, { name: '' }, { name: 'two words' }, { name: 'x'.repeat(41) }])(
    'refuses to let a page in at the game %j',
    async (contents) => {
      const page = open()
      await expect(page.channel.send('Enter', contents as never)).rejects.toThrow(refusal('NAME_IS_INVALID'))
      await expect(page.move(0)).rejects.toThrow(refusal('NOT_IN_A_GAME'))
      expect(sample.games.size).toBe(0)
    },
  )

  test('refuses a move that is none', async () => {
    const [x] = await openThree('g')
    for (const contents of [null, {}, { square: '0' }, { square: [0] }]) {
      await expect(x.channel.send('Move', contents as never)).rejects.toThrow(refusal('NO_SUCH_SQUARE'))
    }
  })

  test('tells each change once to each who is there, and gives who enters the game as of a position', async () => {
    const [x, o, watcher] = await openThree('g')
    await x.move(4)
    await eventually(() => watcher.game?.board[4] === 'X')
    const { asOf, game } = await watcher.enter('g')
    expect(game).toEqual(watcher.game)
    expect(asOf).toBeGreaterThanOrEqual(watcher.told.at(-1)!.mid)
    await o.move(0)
    await eventually(() => [x, o, watcher].every(({ game }) => game?.board[0] === 'O'))
    // Each since it came: those who came, and two moves.
    expect([x, o, watcher].map(({ told }) => told.length)).toEqual([5, 4, 3])
    expect(watcher.told.at(-1)!.mid).toBeGreaterThan(asOf)
  })

  test('has lost the game of a player who enters another one, at once, and keeps the two apart', async () => {
    const [x, o, watcher] = await openThree('g')
    await x.move(4)
    const { game } = await x.enter('another')
    expect(game).toMatchObject({ name: 'another', turn: null })
    await eventually(() => o.game?.outcome != null && watcher.game?.outcome != null)
    expect(o.game).toMatchObject({ name: 'g', outcome: { winner: 'O', byLeaving: true } })
    expect(sample.games.size).toBe(2)

    await watcher.enter('another')
    await x.move(0)
    await eventually(() => watcher.game?.board[0] === 'X')
    expect(o.game).toMatchObject({ name: 'g', next: [o.channel.publicToken] })
  })

  test('has lost the game of a player who was away for too long, and forgets a game that nobody is at', async () => {
    const [x, o, watcher] = await openThree('g')
    o.channel.unsubscribe()
    await sample.channel.killIdleCometClient(o.channel.privateToken!)
    await eventually(() => watcher.game?.outcome != null)
    expect(x.game).toMatchObject({ outcome: { winner: 'X', byLeaving: true } })

    for (const { channel } of [x, watcher]) await sample.channel.killIdleCometClient(channel.privateToken!)
    await eventually(() => sample.games.size === 0)
  })

  test('does to a game one thing after another, however many pages there are at once', async () => {
    const three = [open(), open(), open(), open(), open(), open()]
    const entered = await Promise.all(three.map((page) => page.enter('g')))
    await eventually(() => three.every(({ game }) => game?.players.length === 2))
    const { players } = sample.games.view('g')
    for (const { game } of entered) expect(players.slice(0, game.players.length)).toEqual(game.players)
    const first = three.find(({ channel }) => channel.publicToken === players[0]!.publicToken)!
    const outcomes = await Promise.allSettled([0, 1, 2].map((square) => first.move(square)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  })
})
