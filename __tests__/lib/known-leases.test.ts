import { expect, test } from '@jest/globals'
import { ClientLease } from '../../lib/subscribe/client-lease.ts'
import { KnownLeases } from '../../lib/subscribe/known-leases.ts'

const GROUPS = ['news', 'sport']
const TOPICS = ['c:ann', 'u:7', 's:cookie', 'g:news', 'g:sport']
const ALL = [...TOPICS, 'g:music']

function leaseOfAnn(generation: number): ClientLease {
  const client = {
    publicToken: 'ann',
    displayName: 'Ann',
    userId: '7',
    sessionId: 'cookie',
    groups: GROUPS,
    data: null,
    createdAt: 0,
    lastSeenAt: 0,
    generation,
    start: { epoch: 'e', messageId: generation },
    connectionTimeoutSeconds: 30,
    connectionIdleSeconds: 60,
  }
  const memberships = GROUPS.map((group) => ({ group, joined: generation }))
  return new ClientLease({ client, memberships, asOf: generation }, `hash of ${generation}`, 'e')
}

function visitedAt(known: KnownLeases): (readonly [topic: string, lease: ClientLease])[] {
  const visited: (readonly [string, ClientLease])[] = []
  for (const topic of ALL) known.forEachAt(topic, (lease) => visited.push([topic, lease]))
  return visited
}

test('A lease is found at all topics that address its client, until it is taken out', () => {
  const known = new KnownLeases()
  const lease = leaseOfAnn(1)
  known.add(lease)
  expect(visitedAt(known)).toEqual(TOPICS.map((topic) => [topic, lease]))
  known.delete(lease)
  expect([visitedAt(known), known.size, known.byHash('hash of 1')]).toEqual([[], 0, undefined])
})

test('To take out an older lease of a public token leaves the newer one', () => {
  const known = new KnownLeases()
  const [older, newer] = [leaseOfAnn(1), leaseOfAnn(2)]
  known.add(older)
  known.add(newer)
  known.delete(older)
  expect(visitedAt(known)).toEqual(TOPICS.map((topic) => [topic, newer]))
  expect(known.byHash('hash of 2')).toBe(newer)
})

test('A lease whose client has other groups is found at these, and no more at the former ones', () => {
  const known = new KnownLeases()
  const lease = leaseOfAnn(1)
  known.add(lease)
  const { groups, publicToken, displayName, data } = lease.client
  const about = { generation: 1, client: { publicToken, displayName, data } }
  lease.apply({ kind: 'leave', id: 2, group: 'news', ...about }, 0)
  lease.apply({ kind: 'join', id: 3, group: 'music', ...about }, 0)
  known.regroup(lease, groups)
  expect(visitedAt(known).map(([topic]) => topic)).toEqual(['c:ann', 'u:7', 's:cookie', 'g:sport', 'g:music'])
})

test('When all is given up nobody is found', () => {
  const known = new KnownLeases()
  known.add(leaseOfAnn(1))
  known.clear()
  expect([visitedAt(known), [...known]]).toEqual([[], []])
})

test('A lease that rests is found by its tokens alone, until it is roused: then at what addresses its client by then', () => {
  const known = new KnownLeases()
  const lease = leaseOfAnn(1)
  known.add(lease)
  known.rest(lease)
  expect(visitedAt(known)).toEqual([['c:ann', lease]])
  expect(known.byHash('hash of 1')).toBe(lease)
  const { groups, publicToken, displayName, data } = lease.client
  lease.apply(
    { kind: 'join', id: 2, group: 'music', generation: 1, client: { publicToken, displayName, data } },
    0,
  )
  known.regroup(lease, groups)
  expect(visitedAt(known)).toEqual([['c:ann', lease]])
  known.rouse(lease)
  expect(visitedAt(known).map(([topic]) => topic)).toEqual(ALL)
})

test('What was taken out is not put back when it is roused', () => {
  const known = new KnownLeases()
  const lease = leaseOfAnn(1)
  known.add(lease)
  known.delete(lease)
  known.rouse(lease)
  known.add(lease)
  known.rest(lease)
  known.clear()
  known.rouse(lease)
  expect([visitedAt(known), known.size]).toEqual([[], 0])
})
