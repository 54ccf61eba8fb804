import { describe, expect, test } from '@jest/globals'
import type { Stored } from './numbered.ts'
import { powerCampaign } from './power-campaign.ts'
import { PowerPromise, type RevivedChannel } from './power-promise.ts'
import { whyNoRecorder } from './recorder.ts'

const FULL = { images: 60, steps: 150 }
const NORMAL = { images: 40, steps: 100 }
const WITHOUT_SYNC = { images: 20, steps: 60 }

/** A machine with other work syncs slowly. */
const LIMIT_MS = 120_000

const seed = Date.now() % 2 ** 31

const why = whyNoRecorder()
if (why) process.stdout.write(`power: skipped, ${why}\n`)

function testWithRecorder(name: string, run: () => Promise<void>): void {
  const testOrSkip = why ? test.skip : test
  testOrSkip(name, run, LIMIT_MS)
}

describe('An SQLite file whose machine loses its power', () => {
  testWithRecorder("has all that was acknowledged or fed, with durability 'full'", async () => {
    const { problems, ...figures } = await powerCampaign({ seed, durability: 'full', ...FULL })
    process.stdout.write(`power, full: seed ${seed} ${JSON.stringify(figures)}\n`)
    expect(String(problems)).toBe('no problem')
    expect(figures.lost).toBe(0)
    expect(figures.unsynced).toBeGreaterThan(0)
  })

  testWithRecorder(
    "has lost messages, with durability 'normal', and begins a new epoch each time",
    async () => {
      const { problems, ...figures } = await powerCampaign({ seed, durability: 'normal', ...NORMAL })
      process.stdout.write(`power, normal: seed ${seed} ${JSON.stringify(figures)}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.lost).toBeGreaterThan(0)
      expect(figures.newEpochs).toBeGreaterThanOrEqual(figures.lost)
    },
  )
})

describe('The power campaign notices', () => {
  testWithRecorder('a disk that syncs nothing', async () => {
    const { problems, lost } = await powerCampaign({
      seed,
      durability: 'full',
      ignoresSync: true,
      ...WITHOUT_SYNC,
    })
    expect(lost).toBeGreaterThan(0)
    expect(problems.total).toBeGreaterThan(0)
  })

  const MESSAGES: readonly Stored[] = [
    [1, 11],
    [2, 12],
  ]

  const WHOLE: RevivedChannel = {
    epoch: 'life-1',
    head: 12,
    messages: MESSAGES,
    clients: new Map([
      ['ann', 'there'],
      ['bob', 'stopped'],
    ]),
    repeatedId: 12,
    nextId: 13,
  }

  const ANEW: RevivedChannel = { ...WHOLE, epoch: 'life-2', head: 100, nextId: 101, messages: [] }

  function promise(): PowerPromise {
    const promise = new PowerPromise()
    promise.take({ opened: { epoch: 'life-1', head: 10 } })
    promise.take({ initialised: 'ann' })
    promise.take({ stopped: 'bob' })
    promise.take({ fed: MESSAGES })
    promise.take({ acknowledged: MESSAGES })
    return promise
  }

  test.each<[what: string, found: Partial<RevivedChannel>, kinds: readonly string[]]>([
    ['nothing where nothing is lost', {}, []],
    ['that an acknowledged message is gone', { messages: MESSAGES.slice(0, 1) }, ['lost']],
    ['that an id is given again', { nextId: 12 }, ['reused']],
    ['that a message is there twice', { messages: [...MESSAGES, [2, 13]] }, ['twice', 'twice']],
    ['that a key is forgotten', { repeatedId: 13 }, ['twice']],
    ['that a client is forgotten', { clients: new Map([['bob', 'stopped']]) }, ['client']],
    ['a new epoch', ANEW, ['reset']],
  ])('%s', (_what, found, kinds) => {
    const problems = promise().check({ ...WHOLE, ...found }, 'full')
    expect(problems.map(({ kind }) => kind)).toEqual(kinds)
  })

  test("with durability 'normal', a new epoch only where it was needless or its ids are too low", () => {
    expect(promise().check(ANEW, 'normal')).toEqual([])
    expect(promise().check({ ...ANEW, head: 11 }, 'normal')).toMatchObject([{ kind: 'reused' }])
    const closed = promise()
    closed.take({ closed: true })
    expect(closed.check(ANEW, 'normal')).toMatchObject([{ kind: 'reset' }])
    expect(closed.isLost(11)).toBe(true)
    expect(closed.isLost(12)).toBe(false)
  })

  test("with durability 'normal', a loss without a new epoch", () => {
    expect(promise().check({ ...WHOLE, messages: [] }, 'normal')).not.toEqual([])
  })
})
