import { CometRefusal } from 'koa-comet'
import type { GameView, Mark, Player } from './messages.ts'
import { forfeit, NEW_ROUND, place, type Round } from './rules.ts'

/** Who is at a game, and how it stands. It is never changed: each step makes another. */
export interface Table {
  /** In the order of their coming. */
  readonly present: readonly Player[]
  /** X and then O: fewer than two while somebody is waited for. Who leaves the round stays named until the next one. */
  readonly players: readonly Player[]
  readonly round: Round
}

export const EMPTY_TABLE: Table = { present: [], players: [], round: NEW_ROUND }

/** Somebody comes: plays, if a player is waited for, else watches. Who is there already changes nothing. */
export function arrive(table: Table, { publicToken, name }: Player): Table {
  if (isIn(table.present, publicToken)) return table
  const player = { publicToken, name }
  const players = isComplete(table) ? table.players : [...table.players, player]
  return { ...table, present: [...table.present, player], players }
}

/** Somebody goes. A player who does so amid a round has lost it. */
export function leave(table: Table, publicToken: string): Table {
  if (!isIn(table.present, publicToken)) return table
  const present = table.present.filter((each) => each.publicToken !== publicToken)
  if (!isComplete(table)) return { ...table, present, players: present }
  const mark = markOf(table, publicToken)
  return { ...table, present, round: mark ? forfeit(table.round, mark) : table.round }
}

/** @throws CometRefusal: NOT_A_PLAYER, PLAYER_IS_MISSING, and those of `place` */
export function move(table: Table, publicToken: string, square: number): Table {
  const mark = markOf(table, publicToken)
  if (!mark) throw new CometRefusal('NOT_A_PLAYER', 'You are watching.')
  if (!isComplete(table)) throw new CometRefusal('PLAYER_IS_MISSING', 'The second player has not come yet.')
  return { ...table, round: place(table.round, mark, square) }
}

/**
 * A new round. The players change places; for one who has left there is who has watched longest.
 *
 * @throws CometRefusal: NOT_OVER_YET; NOT_A_PLAYER for who will not play in it
 */
export function again(table: Table, publicToken: string): Table {
  if (!table.round.outcome) throw new CometRefusal('NOT_OVER_YET', 'This game is not over.')
  const players = nextPlayers(table)
  if (!isIn(players, publicToken)) throw new CometRefusal('NOT_A_PLAYER', 'You are watching.')
  return { ...table, players, round: NEW_ROUND }
}

export function viewOf(name: string, table: Table): GameView {
  const { players, round } = table
  const { board, last, outcome } = round
  const turn = outcome || !isComplete(table) ? null : round.turn
  const next = outcome ? nextPlayers(table).map(({ publicToken }) => publicToken) : []
  return { name, board, last, turn, outcome, players, next }
}

function nextPlayers({ present, players }: Table): Player[] {
  const stayed = players.filter(({ publicToken }) => isIn(present, publicToken)).reverse()
  const watching = present.filter(({ publicToken }) => !isIn(players, publicToken))
  return [...stayed, ...watching].slice(0, 2)
}

function markOf({ players }: Table, publicToken: string): Mark | undefined {
  return (['X', 'O'] as const)[players.findIndex((player) => player.publicToken === publicToken)]
}

function isComplete({ players }: Table): boolean {
  return players.length === 2
}

function isIn(players: readonly Player[], publicToken: string): boolean {
  return players.some((player) => player.publicToken === publicToken)
}
