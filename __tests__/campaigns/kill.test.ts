import { describe, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { killCampaign } from './kill-campaign.ts'
import type { ProblemKind } from './problems.ts'

const CYCLES = 16

/** It is noticed as soon as somebody knows of the messages that it hits: in the third cycle, mostly. */
const MOST_CYCLES_WITH_FAULT = 50

const LIMIT_MS = 120_000

const seed = Date.now() % 2 ** 31

/** Gives SQL to the file after each kill but the first. */
function after(sql: string): (file: string, cycle: number) => void {
  return (file, cycle) => {
    const database = new Database(file)
    const isMade = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'comet_1_entries'").get()
    if (cycle > 1 && isMade) database.exec(sql)
    database.close()
  }
}

const OLDEST = 'SELECT min(id) FROM comet_1_entries'

const FAULTS: readonly (readonly [what: string, kind: ProblemKind, sql: string])[] = [
  ['removes an acknowledged message', 'lost', `DELETE FROM comet_1_entries WHERE id = (${OLDEST})`],
  [
    'stores a message twice',
    'twice',
    `UPDATE comet_channels SET head = head + 1;
     INSERT INTO comet_1_entries
       SELECT (SELECT head FROM comet_channels), kind, stored_at, bytes, name, contents, topics, excluded, generation
       FROM comet_1_entries WHERE id = (${OLDEST})`,
  ],
  [
    'gives the id of one message to another',
    'reused',
    `DELETE FROM comet_1_entries WHERE id = (${OLDEST});
     UPDATE comet_1_entries SET id = id - 1 WHERE id = (${OLDEST})`,
  ],
]

describe('A process that publishes into an SQLite file and is killed', () => {
  test(
    'loses nothing that was acknowledged, gives no id again, and stores repetitions once',
    async () => {
      const { problems, ...figures } = await killCampaign({ seed, cycles: CYCLES, workers: 2 })
      process.stdout.write(`kill: seed ${seed} ${JSON.stringify(figures)}\n`)
      expect(String(problems)).toBe('no problem')
      expect(figures.acknowledged).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})

describe('The kill campaign notices a store that', () => {
  test.each(FAULTS)(
    '%s',
    async (_what, kind, sql) => {
      const noticed = new AbortController()
      const { problems } = await killCampaign({
        seed,
        cycles: MOST_CYCLES_WITH_FAULT,
        between: after(sql),
        signal: noticed.signal,
        progress(_cycles, problems) {
          if (problems.count(kind) > 0) noticed.abort()
        },
      })
      expect(problems.count(kind)).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )
})
