import { describe, expect, test } from '@jest/globals'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { checkLists } from './cluster-check-lists.ts'
import { checkPresence, isRightlyForgotten, type PresenceFacts } from './cluster-check-presence.ts'
import type { Problem } from './problems.ts'

const kindsOf = (problems: readonly Problem[]): string[] => problems.map(({ kind }) => kind)

const changed = (kind: 'join' | 'leave', id: number, publicToken: string): Entry => ({
  kind,
  id,
  generation: 1,
  client: { publicToken, displayName: publicToken, data: null },
  group: 'room',
})

describe('The check of presence', () => {
  const START_MS = 1_000_000
  const THERE: PresenceFacts = {
    publicToken: 'ann',
    privateToken: 'secret',
    user: 'a-user',
    idleSeconds: 3,
    contacts: [{ fromMs: 0, toMs: START_MS }],
    lastMs: START_MS,
    goodbyes: [],
    strays: [],
  }
  const gone = (kind: 'left' | 'died', afterMs?: number): PresenceFacts => ({
    ...THERE,
    departure: { publicToken: 'ann', kind, atMs: START_MS },
    goodbyes: kind === 'left' ? [{ saidMs: START_MS + 1, heardMs: START_MS + 2 }] : [],
    removedMs: afterMs === undefined ? undefined : START_MS + afterMs,
  })
  const roaming = (afterMs: number): PresenceFacts => ({ ...THERE, removedMs: START_MS + afterMs })
  const returning = (afterMs: number, seenAfterMs?: number): PresenceFacts => ({
    ...roaming(afterMs),
    idleSeconds: 60,
    goodbyes: [{ saidMs: START_MS + 1, heardMs: START_MS + 2 }],
    contacts: [
      ...THERE.contacts,
      ...(seenAfterMs === undefined
        ? []
        : [{ fromMs: START_MS + seenAfterMs, toMs: START_MS + seenAfterMs }]),
    ],
  })
  const overtaken = (afterMs: number): PresenceFacts => ({
    ...gone('left', afterMs),
    strays: [{ fromMs: START_MS - 5, toMs: START_MS }],
  })
  const check = (facts: PresenceFacts, nowMs = START_MS + 60_000): string[] =>
    kindsOf(checkPresence(facts, nowMs))

  test.each<[what: string, facts: PresenceFacts]>([
    ['a page that is there', THERE],
    ['a page that left, and was removed 5 to 10 s later', gone('left', 7000)],
    ['a page that died, and was removed after its idle time', gone('died', 8000)],
    ['a page that was away for longer than its idle time', roaming(3000)],
    ['a page that said goodbye, and came back too late', returning(5100)],
    ['a page that left while a request of it was on its way', overtaken(12_000)],
  ])('finds nothing of %s', (_what, facts) => {
    expect(check(facts)).toEqual([])
  })

  test.each<[what: string, facts: PresenceFacts]>([
    ['a roaming page that was called lost', roaming(1000)],
    ['a page that said goodbye, came back, and was called lost', returning(6000, 2000)],
    ['a page that was removed at once when it left', gone('left', 1000)],
    ['a page that was removed late when it left', gone('left', 14_000)],
    ['a page that left and is there for ever', gone('left')],
    ['a page that died, and was removed before its idle time', gone('died', 2000)],
    ['a page that died, and was removed late', gone('died', 18_000)],
    ['a page that died and is there for ever', gone('died')],
    ['a page that left amid a request and is there for ever', overtaken(18_000)],
  ])('notices %s', (_what, facts) => {
    expect(check(facts)).toEqual(['client'])
  })

  test('does not say that it is late before it is', () => {
    expect(check(gone('left'), START_MS + 9000)).toEqual([])
  })

  test('takes no page for rightly forgotten that is there', () => {
    expect([THERE, roaming(1000), returning(6000, 2000)].map(isRightlyForgotten)).toEqual([
      false,
      false,
      false,
    ])
    expect([roaming(3000), returning(5100)].map(isRightlyForgotten)).toEqual([true, true])
  })
})

describe('The check of lists', () => {
  const LOG = [
    changed('join', 1, 'ann'),
    changed('join', 2, 'bob'),
    changed('leave', 4, 'ann'),
    changed('join', 6, 'eve'),
  ].map((entry) => ({ entry, atMs: entry.id * 10_000 }))
  const check = (asOf: number, ...publicTokens: string[]): string[] =>
    kindsOf(checkLists([{ group: 'room', asOf, answeredMs: asOf * 10_000, publicTokens }], LOG))

  test.each<[what: string, problems: string[]]>([
    ['who is there as of its position', check(3, 'ann', 'bob')],
    ['who came and went since', check(5, 'bob', 'eve')],
    ['nobody who has left by then', check(4, 'bob')],
  ])('lets it have %s', (_what, problems) => {
    expect(problems).toEqual([])
  })

  test.each<[what: string, kind: string, problems: string[]]>([
    ['one that lacks somebody', 'client', check(2, 'ann')],
    ['one that has somebody who left', 'client', check(4, 'ann', 'bob')],
    ['one that has somebody who never came', 'client', check(3, 'ann', 'bob', 'joe')],
    ['one that has somebody twice', 'twice', check(3, 'ann', 'bob', 'bob')],
  ])('notices %s', (_what, kind, problems) => {
    expect(problems).toEqual([kind])
  })
})
