import { CometRefusal } from 'koa-comet'
import type { Mark, Outcome } from './messages.ts'

const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
] as const

/** One game, from the empty board to its outcome. It is never changed: each move makes another. */
export interface Round {
  readonly board: readonly (Mark | null)[]
  readonly last: number | null
  readonly turn: Mark
  readonly outcome: Outcome | null
}

export const NEW_ROUND: Round = { board: Array<null>(9).fill(null), last: null, turn: 'X', outcome: null }

/**
 * The round after this move.
 *
 * @throws CometRefusal: GAME_IS_OVER, NOT_YOUR_TURN, NO_SUCH_SQUARE, SQUARE_IS_TAKEN
 */
export function place(round: Round, mark: Mark, square: number): Round {
  if (round.outcome) throw new CometRefusal('GAME_IS_OVER', 'This game is over.')
  if (round.turn !== mark) throw new CometRefusal('NOT_YOUR_TURN', 'It is not your turn.')
  const taken = round.board[square]
  if (taken === undefined) throw new CometRefusal('NO_SUCH_SQUARE', 'The squares are 0 to 8.')
  if (taken !== null) throw new CometRefusal('SQUARE_IS_TAKEN', 'This square is taken.')
  const board = round.board.with(square, mark)
  return { board, last: square, turn: other(mark), outcome: outcomeOf(board) }
}

/** The round after this one has left: the other one has won, unless it was over. */
export function forfeit(round: Round, mark: Mark): Round {
  if (round.outcome) return round
  return { ...round, outcome: { winner: other(mark), byLeaving: true, line: [] } }
}

function outcomeOf(board: Round['board']): Outcome | null {
  const lines = LINES.filter(([a, b, c]) => board[a] && board[a] === board[b] && board[a] === board[c])
  // A last move can win by two lines at once.
  if (lines[0]) return { winner: board[lines[0][0]]!, byLeaving: false, line: [...new Set(lines.flat())] }
  return board.includes(null) ? null : { winner: null, byLeaving: false, line: [] }
}

function other(mark: Mark): Mark {
  return mark === 'X' ? 'O' : 'X'
}
