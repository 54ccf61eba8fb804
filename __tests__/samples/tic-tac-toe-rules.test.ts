import { describe, expect, test } from '@jest/globals'
import { forfeit, NEW_ROUND, place, type Round } from '../../samples/tic-tac-toe/rules.ts'

const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
]

/** The round in which these squares were taken in turn, X first. */
function roundOf(...squares: readonly number[]): Round {
  return squares.reduce((round, square) => place(round, round.turn, square), NEW_ROUND)
}

/** What the other one may take meanwhile: two or three squares that make no line. */
function squaresBeside(line: readonly number[], count: number): number[] {
  const free = [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((square) => !line.includes(square))
  const pick = free.flatMap((a, i) =>
    free.slice(i + 1).flatMap((b, j) => free.slice(i + j + 2).map((c) => [a, b, c])),
  )
  const squares = pick.find((three) => !LINES.some((each) => each.every((square) => three.includes(square))))
  return squares!.slice(0, count)
}

describe('A round of tic-tac-toe', () => {
  test.each(LINES)('is won by X with the line %i, %i, %i', (...line) => {
    const [a, b] = squaresBeside(line, 2)
    const round = roundOf(line[0]!, a!, line[1]!, b!, line[2]!)
    expect(round.outcome).toEqual({ winner: 'X', byLeaving: false, line })
    expect(round.last).toBe(line[2])
  })

  test.each(LINES)('is won by O with the line %i, %i, %i', (...line) => {
    const [a, b, c] = squaresBeside(line, 3)
    const round = roundOf(a!, line[0]!, b!, line[1]!, c!, line[2]!)
    expect(round.outcome).toEqual({ winner: 'O', byLeaving: false, line })
  })

  test('is won, and no draw, when the last square makes a line, or two', () => {
    expect(roundOf(0, 1, 2, 3, 4, 5, 7, 6, 8).outcome).toMatchObject({ winner: 'X', line: [0, 4, 8] })
    const two = roundOf(0, 1, 2, 3, 6, 5, 8, 7, 4).outcome
    expect(two).toEqual({ winner: 'X', byLeaving: false, line: [0, 4, 8, 2, 6] })
  })

  test('is a draw when the board is full without a line', () => {
    const squares = [4, 0, 2, 6, 3, 5, 1, 7]
    expect(roundOf(...squares).outcome).toBeNull()
    expect(roundOf(...squares, 8).outcome).toEqual({ winner: null, byLeaving: false, line: [] })
  })

  test('is won by the other one when one leaves, unless it was over', () => {
    expect(forfeit(roundOf(0), 'X').outcome).toEqual({ winner: 'O', byLeaving: true, line: [] })
    expect(forfeit(NEW_ROUND, 'O').outcome).toEqual({ winner: 'X', byLeaving: true, line: [] })
    const won = roundOf(0, 3, 1, 4, 2)
    expect(forfeit(won, 'X')).toBe(won)
  })

  test('begins with X, and changes turns', () => {
    expect(NEW_ROUND.turn).toBe('X')
    expect(roundOf(8).turn).toBe('O')
    expect(roundOf(8, 0).board).toEqual(['O', null, null, null, null, null, null, null, 'X'])
  })

  test.each([
    ['NOT_YOUR_TURN', [], 'O', 0],
    ['NOT_YOUR_TURN', [0], 'X', 1],
    ['SQUARE_IS_TAKEN', [0], 'O', 0],
    ['NO_SUCH_SQUARE', [], 'X', 9],
    ['NO_SUCH_SQUARE', [], 'X', -1],
    ['NO_SUCH_SQUARE', [], 'X', 0.5],
    ['NO_SUCH_SQUARE', [], 'X', Number.NaN],
    ['GAME_IS_OVER', [0, 3, 1, 4, 2], 'O', 8],
  ] as const)('refuses with %s after %j that %s takes %d', (code, squares, mark, square) => {
    const round = roundOf(...squares)
    expect(() => place(round, mark, square)).toThrow(expect.objectContaining({ code }))
  })
})
