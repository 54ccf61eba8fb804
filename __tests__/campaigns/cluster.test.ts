import { describe, expect, test } from '@jest/globals'
import { testWithRedis } from '../support/redis/redis-available.ts'
import { type ClusterCampaignOptions, clusterCampaign } from './cluster-campaign.ts'
import { withStore } from './cluster-fresh-store.ts'
import type { Sabotage } from './cluster-orders.ts'
import type { ProblemKind } from './problems.ts'

const SHORT = {
  nodes: 3,
  ends: 3,
  deliveries: 1000,
  longestLifeMs: 1200,
  habits: { pages: 12, longestPauseMs: 400, reloads: true, departures: 4, departurePercent: 0 },
  publish: { longestPauseMs: 100, mostAtOnce: 3 },
} satisfies Partial<ClusterCampaignOptions>

/** Nobody goes: what is planted is to be noticed, and soon. */
const CALM = {
  ...SHORT,
  nodes: 1,
  ends: 0,
  deliveries: 250,
  habits: { ...SHORT.habits, pages: 6, longestPauseMs: 150, reloads: false, departures: 0 },
  publish: { longestPauseMs: 40, mostAtOnce: 3 },
} satisfies Partial<ClusterCampaignOptions>

const LIMIT_MS = 180_000

const seed = Date.now() % 2 ** 31

describe('Pages of three nodes, each of whose requests goes to another node, while nodes are killed and closed', () => {
  testWithRedis(
    'get each message once and in order, are handled once, and are there for the others as long as they are',
    async () => {
      const { problems, ...figures } = await withStore('redis', (store) =>
        clusterCampaign({ seed, store, ...SHORT }),
      )
      process.stdout.write(`cluster: seed ${seed} ${JSON.stringify(figures)}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.kills + figures.closes).toBe(SHORT.ends)
      expect(figures.deliveries).toBeGreaterThanOrEqual(SHORT.deliveries)
    },
    LIMIT_MS,
  )
})

describe('The cluster campaign notices', () => {
  test.each<[what: string, kind: ProblemKind, sabotage: Sabotage]>([
    ['a node that forgets messages', 'lost', 'forgets messages'],
    ['a node that handles what pages send twice', 'twice', 'handles twice'],
    ['a node that tells pages of a reset for no reason', 'reset', 'resets'],
    ['a node that calls pages lost that are there', 'client', 'calls pages lost'],
  ])(
    '%s',
    async (_what, kind, sabotage) => {
      const { problems } = await withStore('sqlite', (store) =>
        clusterCampaign({ seed, store, ...CALM, sabotage }),
      )
      expect(problems.count(kind)).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})
