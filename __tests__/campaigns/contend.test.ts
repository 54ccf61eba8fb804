import { describe, expect, test } from '@jest/globals'
import { contendCampaign } from './contend-campaign.ts'
import { checkNodes, type NodeReport } from './contend-check.ts'

const ROUNDS = 200

const seed = Date.now() % 2 ** 31

const LIMIT_MS = 60_000

describe('Two processes that fight for an SQLite file', () => {
  test(
    'see the same log, lose nothing, store a key once, and remove each idle client once',
    async () => {
      const { problems, ...figures } = await contendCampaign({ seed, rounds: ROUNDS })
      process.stdout.write(`contend: seed ${seed} ${JSON.stringify(figures)}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.clients).toBeGreaterThan(0)
      expect(Math.min(...figures.acknowledged)).toBeGreaterThanOrEqual(ROUNDS)
    },
    LIMIT_MS,
  )
})

describe('The contend campaign notices', () => {
  const FED = ['11 initialise eve', '12 message "ann 1.0"', '13 message "shared 1"', '14 remove eve']

  const ANN: NodeReport = {
    fed: FED,
    acknowledged: [
      ['"ann 1.0"', 12],
      ['"shared 1"', 13],
    ],
    refused: [],
    initialised: ['eve'],
    removed: ['eve'],
    troubles: [],
    calls: 3,
    medianCallMs: 1,
    longestCallMs: 1,
    longestStallMs: 1,
  }
  const BOB: NodeReport = { ...ANN, acknowledged: [['"shared 1"', 13]], initialised: [], removed: [] }

  const inBoth = (fed: readonly string[]) => ({ ann: { fed }, bob: { fed } })

  test.each<
    [what: string, faults: { ann?: Partial<NodeReport>; bob?: Partial<NodeReport> }, kinds: string[]]
  >([
    ['nothing where all is right', {}, []],
    ['that an acknowledged message is gone', inBoth(FED.filter((entry) => !entry.includes('ann'))), ['lost']],
    ['that an id is given again', inBoth([...FED, '14 message "bob 1.0"']), ['reused']],
    ['that a key is stored twice', inBoth([...FED, '15 message "shared 1"']), ['twice']],
    ['that ids fall', inBoth([...FED, '10 message "bob 1.0"']), ['out of order']],
    ['that two processes see different logs', { bob: { fed: FED.slice(0, 3) } }, ['out of order']],
    ['that both removed a client', { bob: { removed: ['eve'] } }, ['client']],
    ['that a client was not removed', { ...inBoth(FED.slice(0, 3)) }, ['client']],
    ['that what was refused is stored', { ann: { refused: ['"ann 1.0"'] } }, ['refused']],
    ['that a call was refused', { bob: { troubles: ['busy'] } }, ['refused']],
  ])('%s', (_what, { ann, bob }, kinds) => {
    const problems = checkNodes([
      { ...ANN, ...ann },
      { ...BOB, ...bob },
    ])
    expect(problems.map(({ kind }) => kind)).toEqual(kinds)
  })
})
