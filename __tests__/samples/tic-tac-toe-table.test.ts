import { describe, expect, test } from '@jest/globals'
import {
  again,
  arrive,
  EMPTY_TABLE,
  leave,
  move,
  type Table,
  viewOf,
} from '../../samples/tic-tac-toe/table.ts'

/** The table after these have come, in this order. */
function tableOf(...names: readonly string[]): Table {
  return names.reduce((table, name) => arrive(table, { publicToken: name, name }), EMPTY_TABLE)
}

/** Taken in turn, the first by X. */
function played(table: Table, ...squares: readonly number[]): Table {
  return squares.reduce((before, square) => {
    const { players, round } = before
    return move(before, players[round.turn === 'X' ? 0 : 1]!.publicToken, square)
  }, table)
}

const namesIn = ({ players }: Pick<Table, 'players'>) => players.map(({ name }) => name)
const wonByX = (table: Table) => played(table, 0, 3, 1, 4, 2)
const refusal = (code: string) => expect.objectContaining({ code })

describe('A table of tic-tac-toe', () => {
  test('has the first two who come as players, and the others watch', () => {
    expect(viewOf('g', tableOf('ann'))).toMatchObject({ turn: null, outcome: null })
    const table = tableOf('ann', 'bob', 'eve')
    expect(namesIn(table)).toEqual(['ann', 'bob'])
    expect(viewOf('g', table)).toMatchObject({ name: 'g', turn: 'X', next: [] })
    expect(() => move(table, 'eve', 0)).toThrow(refusal('NOT_A_PLAYER'))
    expect(() => move(tableOf('ann'), 'ann', 0)).toThrow(refusal('PLAYER_IS_MISSING'))
  })

  test('stays as it is when somebody comes who is there, or goes who is not', () => {
    const table = tableOf('ann', 'bob')
    expect(arrive(table, { publicToken: 'ann', name: 'ann' })).toBe(table)
    expect(leave(table, 'eve')).toBe(table)
  })

  test('has room again when the one who waited for a second has left', () => {
    const table = leave(tableOf('ann'), 'ann')
    expect(table).toEqual(EMPTY_TABLE)
    expect(namesIn(arrive(table, { publicToken: 'bob', name: 'bob' }))).toEqual(['bob'])
  })

  test('sees the game lost by the player who leaves, whoever’s turn it is, and not by who watches', () => {
    const table = played(tableOf('ann', 'bob', 'eve'), 4)
    expect(leave(table, 'eve').round.outcome).toBeNull()
    expect(leave(table, 'ann').round.outcome).toMatchObject({ winner: 'O', byLeaving: true })
    const left = leave(table, 'bob')
    expect(left.round.outcome).toMatchObject({ winner: 'X', byLeaving: true })
    // Whose name is still to be seen.
    expect(namesIn(left)).toEqual(['ann', 'bob'])
    expect(() => move(left, 'ann', 0)).toThrow(refusal('GAME_IS_OVER'))
    expect(leave(left, 'ann').round).toBe(left.round)
  })

  test('begins anew with places changed when a player asks for it, and not before it is over', () => {
    const table = tableOf('ann', 'bob', 'eve')
    expect(() => again(table, 'ann')).toThrow(refusal('NOT_OVER_YET'))
    const won = wonByX(table)
    expect(viewOf('g', won).next).toEqual(['bob', 'ann'])
    expect(() => again(won, 'eve')).toThrow(refusal('NOT_A_PLAYER'))
    const next = again(won, 'ann')
    expect(namesIn(next)).toEqual(['bob', 'ann'])
    expect(viewOf('g', next)).toMatchObject({ turn: 'X', outcome: null, last: null, next: [] })
    expect(namesIn(again(wonByX(next), 'bob'))).toEqual(['ann', 'bob'])
  })

  test('gives the place of one who has left to who has watched longest, who may begin', () => {
    const left = leave(tableOf('ann', 'bob', 'eve', 'joe'), 'ann')
    expect(() => again(left, 'joe')).toThrow(refusal('NOT_A_PLAYER'))
    expect(namesIn(again(left, 'eve'))).toEqual(['bob', 'eve'])
    const allLeft = leave(left, 'bob')
    expect(namesIn(again(allLeft, 'joe'))).toEqual(['eve', 'joe'])
  })

  test('waits for a second player when only one has stayed', () => {
    const waiting = again(leave(tableOf('ann', 'bob'), 'bob'), 'ann')
    expect(viewOf('g', waiting)).toMatchObject({ turn: null, outcome: null })
    expect(namesIn(arrive(waiting, { publicToken: 'eve', name: 'eve' }))).toEqual(['ann', 'eve'])
  })
})
