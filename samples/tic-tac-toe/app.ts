import Koa from 'koa'
import { type CometClient, CometRefusal, CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import serve from 'koa-static'
import { pageFolder } from '../page-folder.ts'
import { Games } from './games.ts'
import type { Messages, Requests } from './messages.ts'
import { newName } from './names.ts'
import { again, arrive, leave, move } from './table.ts'

const GAME_NAME = /^[\w-]{1,40}$/

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export interface TicTacToe {
  readonly app: Koa
  readonly channel: CometStateManager<Messages, Requests>
  readonly games: Games
}

/** A channel, the games, and their page. A game is a group of the channel. Nothing listens yet. */
export function createTicTacToe(): TicTacToe {
  const channel = new CometStateManager<Messages, Requests>(new InProcCometStateProvider(), {
    register: () => ({ displayName: newName() }),
    // Members of a game are told who comes and goes, and may ask who is there.
    presence: true,
    clientList: ({ groups }, group) => group !== undefined && groups.includes(group),
    // Who is away for longer has left, and lost.
    connectionIdleSeconds: 60,
  })
  const games = new Games((game) => channel.sendMessage('Game', game, { group: game.name }))

  channel.onMessage('Enter', async (contents, { client }) => {
    const name = nameOf(contents)
    const { publicToken, displayName } = client
    for (const group of client.groups) if (group !== name) await channel.leaveGroup(publicToken, group)
    // First, so that what happens to the game from here on reaches this client.
    await channel.joinGroup(publicToken, name)
    await games.change(name, (table) => arrive(table, { publicToken, name: displayName }))
    // Taken before the game is read: what changes from here on comes with higher ids.
    const { messageId: asOf } = channel.cursor()
    return { asOf, game: games.view(name) }
  })

  channel.onMessage('Move', async (contents, { client }) => {
    const square = squareOf(contents)
    await games.change(gameOf(client), (table) => move(table, client.publicToken, square))
    return null
  })

  channel.onMessage('Again', async (_, { client }) => {
    await games.change(gameOf(client), (table) => again(table, client.publicToken))
    return null
  })

  // In whatever way: for another game, with a goodbye, or by staying away.
  channel.on('clientLeft', ({ publicToken }, { group }) =>
    games.change(group, (table) => leave(table, publicToken)),
  )

  const app = new Koa()
  app.use(async function protectPage(ctx, next) {
    ctx.set({ 'Content-Security-Policy': CONTENT_SECURITY_POLICY, 'X-Content-Type-Options': 'nosniff' })
    await next()
  })
  app.use(channel.mount('/comet'))
  app.use(serve(pageFolder(import.meta.dirname)))
  return { app, channel, games }
}

/** Pages may send anything, whatever its type says. */
function nameOf(contents: Requests['Enter']['contents']): string {
  const name: unknown = contents?.name
  if (typeof name === 'string' && GAME_NAME.test(name)) return name
  throw new CometRefusal('NAME_IS_INVALID', 'The name of a game has 1 to 40 of A-Z a-z 0-9 _ -.')
}

function squareOf(contents: Requests['Move']['contents']): number {
  const square: unknown = contents?.square
  return typeof square === 'number' ? square : Number.NaN
}

/** A client is in one game at a time. */
function gameOf({ groups: [name] }: CometClient): string {
  if (name !== undefined) return name
  throw new CometRefusal('NOT_IN_A_GAME', 'Enter a game first.')
}
