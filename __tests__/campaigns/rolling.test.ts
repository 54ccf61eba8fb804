import { describe, expect, test } from '@jest/globals'
import { testWithRedis } from '../support/redis/redis-available.ts'
import { withStore } from './cluster-fresh-store.ts'
import { isStampede, problemsShown, type RollingOptions, rollingCampaign } from './rolling-campaign.ts'

const SHORT = {
  nodes: 3,
  rounds: [1],
  habits: { pages: 16, longestPauseMs: 1000, reloads: false, departures: 0, departurePercent: 0 },
  publish: { longestPauseMs: 300, mostAtOnce: 3 },
} satisfies Partial<RollingOptions>

const LIMIT_MS = 180_000

const seed = Date.now() % 2 ** 31

describe('All nodes of a channel, replaced one by one under load,', () => {
  testWithRedis(
    'lose nothing and show no error to any page, and send few streams away at a time',
    async () => {
      const { problems, replacements, ...figures } = await withStore('redis', (store) =>
        rollingCampaign({ seed, store, ...SHORT }),
      )
      process.stdout.write(`rolling: seed ${seed} ${JSON.stringify({ ...figures, replacements })}\n`)
      expect(String(problems)).toBe('no problem')
      expect(replacements).toHaveLength(SHORT.nodes)
      expect(replacements.filter(isStampede)).toEqual([])
    },
    LIMIT_MS,
  )
})

describe('The rolling campaign notices', () => {
  const UNDISTURBED = { failures: [], disconnections: 0, resets: [] }

  test.each([
    ['a failure that a page was told of', { ...UNDISTURBED, failures: ['page-1: COMET_CHANNEL_IS_CLOSED'] }],
    ['a page that was disconnected', { ...UNDISTURBED, disconnections: 1 }],
    [
      'a page that was told of a reset',
      { ...UNDISTURBED, resets: [{ reason: 'trimmed', publicToken: 'ann' }] },
    ],
  ])('%s', (_what, page) => {
    expect(problemsShown([UNDISTURBED])).toEqual([])
    expect(problemsShown([UNDISTURBED, page])).toHaveLength(1)
  })

  test('a stampede: far more streams that end together than if they had ended evenly', () => {
    expect(isStampede({ streams: 40, mostAtOnce: 6 })).toBe(false)
    expect(isStampede({ streams: 40, mostAtOnce: 7 })).toBe(true)
  })
})
