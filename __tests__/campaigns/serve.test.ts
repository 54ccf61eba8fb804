import { describe, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import type { Stored } from './numbered.ts'
import { checkReceived } from './received.ts'
import { serveCampaign } from './serve-campaign.ts'

const CYCLES = 3
const PAGES = 2

const seed = Date.now() % 2 ** 31

/** Pages that lose their server pause up to a second, then longer. */
const LIMIT_MS = 300_000

describe('Pages of a server over an SQLite file that is killed', () => {
  test(
    'give their handlers each message once and in order, and see no reset',
    async () => {
      const { problems, ...figures } = await serveCampaign({ seed, cycles: CYCLES, pages: PAGES })
      process.stdout.write(`serve: seed ${seed} ${JSON.stringify(figures)}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.acknowledged).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})

describe('The serve campaign notices', () => {
  const ACKNOWLEDGED = [11, 12, 14]
  const WHOLE: readonly Stored[] = [
    [1, 11],
    [2, 12],
    [3, 14],
  ]

  test.each<[what: string, received: readonly Stored[], kinds: readonly string[]]>([
    ['nothing where all came once and in order', WHOLE, []],
    ['that an acknowledged message did not come', [WHOLE[0]!, WHOLE[2]!], ['lost']],
    ['that a message came twice', [...WHOLE, [3, 15]], ['twice', 'reused']],
    ['that messages came in another order', [WHOLE[1]!, WHOLE[0]!, WHOLE[2]!], ['out of order']],
    [
      'that a message came with another id than was acknowledged',
      [...WHOLE.slice(0, 2), [3, 13]],
      ['reused'],
    ],
  ])('%s', (_what, received, kinds) => {
    expect(checkReceived(received, ACKNOWLEDGED).map(({ kind }) => kind)).toEqual(kinds)
  })

  test(
    'a store that forgets its log',
    async () => {
      const between = (file: string): void => {
        const database = new Database(file)
        database.exec("UPDATE comet_channels SET epoch = epoch || 'x'")
        database.close()
      }
      // In its second life each page has a message: by then it was told. After the last one it may have all already.
      const { problems } = await serveCampaign({ seed, cycles: 2, pages: 1, killsEarly: false, between })
      expect(problems.count('reset')).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})
