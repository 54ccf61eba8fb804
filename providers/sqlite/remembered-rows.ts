import type { Database, Statement } from 'better-sqlite3'
import type { Retention } from '../../lib/comet-state-provider.ts'

/** How many are remembered at most. */
const MAX_REMEMBERED = 100_000

/** How many are forgotten in one step. */
const STEP = 500

/** How long they are remembered: whole milliseconds. */
export function rememberMs({ seconds }: Retention): number {
  return Math.ceil(seconds * 1000)
}

/**
 * Texts that are remembered for a time, each with the id of the entry that it came with: the keys of sends, and the
 * hashes of stopped tokens.
 */
export class RememberedRows {
  readonly #find: Statement<[string, number], number>
  readonly #remember: Statement<[string, number, number]>

  constructor(database: Database, table: string) {
    this.#find = database
      .prepare<[string, number], number>(`SELECT id FROM ${table} WHERE key = ? AND until > ?`)
      .pluck()
      .safeIntegers(false)
    this.#remember = database.prepare(`INSERT OR REPLACE INTO ${table} (key, id, until) VALUES (?, ?, ?)`)
  }

  /** @param now the store's time, in milliseconds */
  find(key: string, now: number): number | undefined {
    return this.#find.get(key, now)
  }

  remember(key: string, id: number, until: number): void {
    this.#remember.run(key, id, until)
  }
}

/** Forgets what a table of {@link RememberedRows} has to remember no longer, the oldest first, in steps. */
export class Forgetting {
  readonly #forgetOld: Statement<[number]>
  readonly #forgetSurplus: Statement<[]>

  constructor(database: Database, table: string) {
    // The inner LIMIT comes first: without it each step would look at all that is to stay.
    this.#forgetOld = database.prepare(
      `DELETE FROM ${table} WHERE number IN
        (SELECT number FROM (SELECT number, until FROM ${table} ORDER BY number LIMIT ${STEP}) WHERE until <= ?)`,
    )
    this.#forgetSurplus = database.prepare(
      `DELETE FROM ${table} WHERE number IN
        (SELECT number FROM ${table} WHERE number <= (SELECT max(number) FROM ${table}) - ${MAX_REMEMBERED} ORDER BY number LIMIT ${STEP})`,
    )
  }

  /** One step. Returns whether there may be more to forget. */
  step(now: number): boolean {
    return this.#forgetOld.run(now).changes + this.#forgetSurplus.run().changes >= STEP
  }
}
