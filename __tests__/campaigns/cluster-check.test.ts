import { describe, expect, test } from '@jest/globals'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { addressedIds } from './cluster-audience.ts'
import { checkLog, checkMemberships } from './cluster-check-messages.ts'
import { checkSends } from './cluster-check-sends.ts'
import type { MessageFact, RunFact, SendFact } from './cluster-facts.ts'
import { contentsOf } from './numbered.ts'
import type { Problem } from './problems.ts'

const kindsOf = (problems: readonly Problem[]): string[] => problems.map(({ kind }) => kind)

const others = (publicToken: string) => ({ publicToken, displayName: publicToken, data: null })
const initialised = (id: number, publicToken: string): Entry => ({ kind: 'initialise', id, publicToken })
const removed = (id: number, publicToken: string): Entry => ({
  kind: 'remove',
  id,
  publicToken,
  generation: 1,
})
const message = (id: number, topics: readonly string[], except: readonly string[] = []): Entry => ({
  kind: 'message',
  id,
  topics,
  except,
  name: 'Numbered',
  contents: contentsOf(id * 10),
})
const changed = (kind: 'join' | 'leave', id: number, publicToken: string): Entry => ({
  kind,
  id,
  generation: 1,
  client: others(publicToken),
  group: 'room',
})

describe('What the log says is addressed to a client', () => {
  const ids = (entries: readonly Entry[]): number[][] => {
    const addressed = addressedIds(entries, new Map([['ann', 'a-user']]))
    return ['ann', 'bob'].map((who) => addressed.get(who) ?? [])
  }
  const BOTH = [initialised(1, 'ann'), initialised(2, 'bob')]

  test.each<[what: string, entries: readonly Entry[], ann: readonly number[], bob: readonly number[]]>([
    ['what is for everybody, but for some', [message(3, ['*']), message(4, ['*'], ['ann'])], [3], [3, 4]],
    ['what is for it alone, and for its user', [message(3, ['c:bob']), message(4, ['u:a-user'])], [4], [3]],
    ['what comes several ways, once', [message(3, ['c:ann', 'u:a-user', '*'])], [3], [3]],
    [
      'what a group is sent while it is a member, and who else joins and leaves',
      [
        message(3, ['g:room']),
        changed('join', 4, 'ann'),
        message(5, ['g:room']),
        changed('join', 6, 'bob'),
        message(7, ['g:room']),
        changed('leave', 8, 'ann'),
        message(9, ['g:room']),
      ],
      [5, 6, 7],
      [7, 8, 9],
    ],
    [
      'what members show of themselves',
      [
        changed('join', 3, 'ann'),
        { kind: 'update', id: 4, generation: 1, client: others('ann'), groups: ['room'] },
      ],
      [4],
      [],
    ],
    ['nothing after its end', [removed(3, 'ann'), message(4, ['*', 'c:ann', 'u:a-user'])], [], [4]],
  ])('is %s', (_what, entries, ann, bob) => {
    expect(ids([...BOTH, ...entries])).toEqual([ann, bob])
  })

  test('is nothing of before its beginning', () => {
    expect(ids([message(1, ['*']), ...BOTH])).toEqual([[], []])
  })
})

describe('The check of the log', () => {
  const LOG = [message(1, ['*']), message(2, ['*'])]
  const SENT = new Map<number, Pick<MessageFact, 'id'>>([
    [10, { id: 1 }],
    [20, { id: 2 }],
  ])

  test('finds nothing where all that was acknowledged is there once', () => {
    expect(checkLog(LOG, SENT)).toEqual([])
    expect(checkLog(LOG, new Map([...SENT, [30, {}]]))).toEqual([])
  })

  test.each<[what: string, log: readonly Entry[], sent: typeof SENT, kind: string]>([
    ['a message that is missing', LOG.slice(1), SENT, 'lost'],
    ['a message that is there twice', [...LOG, { ...LOG[0]!, id: 3 } as Entry], SENT, 'twice'],
    ['another id than was told', LOG, new Map([...SENT, [10, { id: 7 }]]), 'reused'],
    ['a message that nobody sent', [...LOG, message(3, ['*'])], SENT, 'damaged'],
  ])('notices %s', (_what, log, sent, kind) => {
    expect(kindsOf(checkLog(log, sent))).toContain(kind)
  })
})

describe('The check of memberships', () => {
  const MEMBER = { publicToken: 'ann', group: 'room', fromMs: 100, toMs: 200 }
  const sent = (beganMs: number, endedMs: number, except?: string): MessageFact => ({
    audience: { group: 'room', ...(except && { except }) },
    id: 5,
    beganMs,
    endedMs,
  })
  const check = (fact: MessageFact, addressed: readonly number[] = [], removedAt?: number): string[] =>
    kindsOf(
      checkMemberships(
        [fact],
        [MEMBER],
        new Map([['ann', addressed]]),
        new Map(removedAt === undefined ? [] : [['ann', removedAt]]),
      ),
    )

  test('notices a message to the group that is not for a member', () => {
    expect(check(sent(101, 199))).toEqual(['lost'])
    expect(check(sent(101, 199), [], 6)).toEqual(['lost'])
  })

  test.each<[what: string, problems: string[]]>([
    ['where it is for the member', check(sent(101, 199), [5])],
    ['where it was begun before the join was answered', check(sent(99, 199))],
    ['where it was acknowledged after the leave was asked for', check(sent(101, 201))],
    ['where the member is excepted', check(sent(101, 199, 'ann'))],
    ['where the member had been removed', check(sent(101, 199), [], 4)],
  ])('finds nothing %s', (_what, problems) => {
    expect(problems).toEqual([])
  })
})

describe('The check of what pages sent', () => {
  const run = (number: number, atMs: number, node = 'node-1'): RunFact => ({
    sender: 'ann',
    number,
    node,
    atMs,
  })
  const send = (number: number, outcome = 'resolved', result = `ann:${number}`): SendFact => ({
    sender: 'ann',
    number,
    calledMs: 0,
    settledMs: 100,
    outcome,
    result,
  })
  const UNKNOWN = send(1, 'COMET_OUTCOME_IS_UNKNOWN')
  const KILL = { node: 'node-1', atMs: 50 }

  test.each<[what: string, problems: readonly Problem[]]>([
    ['each was handled once, in their order', checkSends([send(1), send(2)], [run(1, 1), run(2, 2)], [])],
    ['the node of a handler was killed', checkSends([UNKNOWN], [run(1, 1)], [KILL])],
    ['a node was killed before the handler', checkSends([UNKNOWN], [], [KILL])],
    ['a page was gone', checkSends([send(1, 'COMET_LEFT'), send(2, 'COMET_LEFT')], [run(1, 1)], [])],
  ])('finds nothing where %s', (_what, problems) => {
    expect(problems).toEqual([])
  })

  test.each<[what: string, kind: string, problems: readonly Problem[]]>([
    ['a handler that ran twice', 'twice', checkSends([send(1)], [run(1, 1), run(1, 2, 'node-2')], [])],
    [
      'one that ran twice for a page that is gone',
      'twice',
      checkSends([send(1, 'COMET_LEFT')], [run(1, 1), run(1, 2)], []),
    ],
    ['a send that resolved unhandled', 'lost', checkSends([send(1)], [], [])],
    ['the result of another send', 'damaged', checkSends([send(1, 'resolved', 'ann:2')], [run(1, 1)], [])],
    ['another order', 'out of order', checkSends([send(1), send(2)], [run(2, 1), run(1, 2)], [])],
    ['an unknown outcome without a kill', 'failed', checkSends([UNKNOWN], [run(1, 1)], [])],
    ['one whose handler was on another node', 'failed', checkSends([UNKNOWN], [run(1, 1, 'node-2')], [KILL])],
    ['a kill that was too late', 'failed', checkSends([UNKNOWN], [run(1, 1)], [{ ...KILL, atMs: 101 }])],
    ['another rejection', 'refused', checkSends([send(1, 'COMET_TOKEN_IS_UNKNOWN')], [], [])],
  ])('notices %s', (_what, kind, problems) => {
    expect(kindsOf(problems)).toEqual([kind])
  })
})
