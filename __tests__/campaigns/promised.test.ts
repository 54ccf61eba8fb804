import { describe, expect, test } from '@jest/globals'
import { contentsOf, numberOf, type Stored } from './numbered.ts'
import { Promised } from './promised.ts'

const EPOCH = 'life-1'

/** Five messages, of which the log retains three. */
const TOLD: readonly Stored[] = [
  [1, 11],
  [2, 12],
  [3, 13],
  [4, 15],
  [5, 16],
]

function told(): Promised {
  const promised = new Promised(3)
  promised.opened(EPOCH, 10)
  for (const each of TOLD) expect(promised.note(each)).toEqual([])
  return promised
}

function kindsIn(messages: readonly Stored[], epoch = EPOCH): string[] {
  return told()
    .check({ epoch, messages })
    .map(({ kind }) => kind)
}

describe('What a campaign knows of a log', () => {
  test('is kept by a log that has all, what is retained only, or more than anybody was told of', () => {
    expect(kindsIn(TOLD)).toEqual([])
    expect(kindsIn(TOLD.slice(-3))).toEqual([])
    expect(kindsIn([...TOLD.slice(-2), [6, 20]])).toEqual([])
  })

  test.each([
    ['a message was removed', [TOLD[2]!, TOLD[4]!], ['lost']],
    ['the newest was removed', TOLD.slice(0, 4), ['lost']],
    ['all was removed', [], ['lost', 'lost', 'lost']],
    ['one that nobody was told of is missing below another', [...TOLD, [7, 20]], ['lost']],
    ['a message is there twice', [...TOLD, [5, 17]], ['twice', 'twice']],
    ['a message has another id than was told', [...TOLD.slice(0, 4), [5, 17]], ['twice']],
    ['an id is that of another message', [...TOLD.slice(0, 4), [6, 16]], ['reused', 'lost']],
    ['messages are not in the order of their sending', [...TOLD, [7, 20], [6, 21]], ['out of order']],
    ['contents are not as they were sent', [...TOLD, [Number.NaN, 17]], ['damaged']],
  ] as const)('is broken when %s', (_what, messages, kinds) => {
    expect(kindsIn(messages as readonly Stored[])).toEqual(kinds)
  })

  test('is broken when the epoch is another', () => {
    expect(kindsIn(TOLD, 'life-2')).toEqual(['reset'])
  })

  test.each([
    ['a message is told with another id', [5, 17], 'twice'],
    ['an id is told of another message', [6, 16], 'reused'],
    ['an id comes after a higher one', [6, 14], 'out of order'],
    ['a message comes after a later one', [7, 17], 'out of order'],
  ] as const)('is broken when %s', (_what, message, kind) => {
    expect(
      told()
        .note(message)
        .map((problem) => problem.kind),
    ).toEqual([kind])
  })

  test('is broken by an id that is below the head of an opening', () => {
    const promised = told()
    promised.opened(EPOCH, 30)
    expect(promised.note([6, 29])).toHaveLength(1)
    expect(promised.note([7, 31])).toEqual([])
  })
})

test('Contents tell their number, unless a byte of them is another', () => {
  for (const number of [1, 2, 16, 9_999]) expect(numberOf(contentsOf(number))).toBe(number)
  const contents = contentsOf(21)
  expect(numberOf(contents.slice(0, -2).concat('.', '"'))).toBeNaN()
  expect(numberOf('')).toBeNaN()
})
