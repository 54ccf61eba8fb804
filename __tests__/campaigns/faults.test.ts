import { describe, expect, test } from '@jest/globals'
import { type FaultsOptions, faultsCampaign } from './faults-campaign.ts'
import type { Sabotage } from './faults-page.ts'
import type { ProblemKind } from './problems.ts'

const SHORT = {
  deliveries: 2000,
  faults: 60,
  reloads: 10,
  pages: 20,
  longestLifeMs: 500,
  publish: { longestPauseMs: 30, mostAtOnce: 4 },
} satisfies Partial<FaultsOptions>

/** Without faults of the network: what is planted is to be noticed, and soon. */
const CALM = { ...SHORT, deliveries: 300, faults: 0, reloads: 10, pages: 8, longestLifeMs: 300 } as const

const LIMIT_MS = 120_000

const seed = Date.now() % 2 ** 31

/** One message of so many is hit: a run has more. */
const ONE_IN = 100

function oneIn(count: number): () => boolean {
  let calls = 0
  return () => {
    calls += 1
    return calls % count === 0
  }
}

describe('Pages behind a network that fails in all ways', () => {
  test(
    'give their handlers each message once and in order, over reloads and from one transport to the other',
    async () => {
      const { problems, ...figures } = await faultsCampaign({ seed, ...SHORT })
      process.stdout.write(`faults: seed ${seed} ${JSON.stringify(figures)}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.totalHits).toBeGreaterThanOrEqual(50)
      expect(figures.deliveries).toBeGreaterThanOrEqual(SHORT.deliveries)
    },
    LIMIT_MS,
  )
})

describe('The faults campaign notices', () => {
  const isHit = oneIn(ONE_IN)
  const sabotages: readonly [what: string, kind: ProblemKind, sabotage: Sabotage][] = [
    [
      'a page that loses its cursor at a reload',
      'twice',
      { store: (value) => JSON.stringify({ ...JSON.parse(value), cursor: undefined }) },
    ],
    ['a message that is handed out twice', 'twice', { times: () => (isHit() ? 2 : 1) }],
    ['a message that is not handed out', 'lost', { times: () => (isHit() ? 0 : 1) }],
    ['a message that is lost on the way', 'lost', { fetch: withoutSome(oneIn(2)) }],
    ['a page that is told of a reset for no reason', 'reset', { fetch: withForeignCursor(oneIn(10)) }],
    ['a page that takes itself for another', 'lost', { store: () => '{}' }],
  ]

  test.each(sabotages)(
    '%s',
    async (_what, kind, sabotage) => {
      const { problems } = await faultsCampaign({ seed, ...CALM, sabotage })
      expect(problems.count(kind)).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})

/** Takes the last message out of answers to polls, and leaves the cursor behind it. */
function withoutSome(isHit: () => boolean): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    if (!response.headers.get('Content-Type')?.includes('json') || !response.headers.has('Comet-Cursor'))
      return response
    const messages = (await response.json()) as { n: string }[]
    const isLost = messages.at(-1)?.n === 'Numbered' && isHit()
    const { status, headers } = response
    return new Response(JSON.stringify(isLost ? messages.slice(0, -1) : messages), { status, headers })
  }
}

/** Asks with a cursor of another life of the log. */
function withForeignCursor(isHit: () => boolean): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers)
    if (headers.has('Last-Event-ID') && isHit()) headers.set('Last-Event-ID', 'another-life:1')
    return fetch(input, { ...init, headers })
  }
}
