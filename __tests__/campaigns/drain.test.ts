import { describe, expect, test } from '@jest/globals'
import { drainCampaign, isStampede } from './drain-campaign.ts'

const CLIENTS = 200
const STREAMS = CLIENTS / 2

const LIMIT_MS = 120_000

const seed = Date.now() % 2 ** 31

describe('A rolling restart behind a balancer', () => {
  test(
    'loses no message and removes nobody, and ends few streams at a time unless it is to end all at once',
    async () => {
      const { problems, drains, ...figures } = await drainCampaign({
        seed,
        clients: CLIENTS,
        drains: [1, 0],
        noticedAfterMs: 0,
      })
      const shown = drains.map(({ arrivals: _arrivals, ...each }) => each)
      process.stdout.write(`drain: seed ${seed} ${JSON.stringify({ ...figures, drains: shown })}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.deliveries).toBeGreaterThan(CLIENTS)
      const [slow, atOnce] = drains
      expect([slow!.streams, slow!.arrived]).toEqual([STREAMS, CLIENTS])
      expect(slow!.mostAtOnce).toBeLessThan(STREAMS / 2)
      expect([atOnce!.mostAtOnce, atOnce!.arrived]).toEqual([STREAMS, CLIENTS])
    },
    LIMIT_MS,
  )
})

describe('The drain campaign notices', () => {
  test(
    'clients that do not say where they were',
    async () => {
      const { problems } = await drainCampaign({
        seed,
        clients: 20,
        drains: [0],
        noticedAfterMs: 0,
        losesCursors: true,
      })
      expect(problems.count('twice')).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )

  test('a stampede: far more in a tenth of a second than if they had come evenly', () => {
    const report = { overSeconds: 0, tookMs: 0, streams: 0, mostAtOnce: 0, arrivals: [], arrived: 500 }
    expect(isStampede({ ...report, fullest: 30 }, 5)).toBe(false)
    expect(isStampede({ ...report, fullest: 31 }, 5)).toBe(true)
  })
})
