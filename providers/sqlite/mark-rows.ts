import type { Database, Statement } from 'better-sqlite3'
import type { Tables } from './schema.ts'

/** How long a mark is kept, in milliseconds of the store's time. */
export const KEEP_MARK_MS = 600_000

/** How many marks are deleted in one step. */
const STEP = 1000

/**
 * Marks of messages that were sent within transactions of the app. SQLite gives no word of a commit, and gives an id
 * of a transaction that was rolled back again: the mark is what is there if, and only if, it was committed.
 */
export class MarkRows {
  readonly #insert: Statement<[string, number]>
  readonly #has: Statement<[string], 1>
  readonly #deleteOld: Statement<[number]>

  constructor(database: Database, { marks }: Tables) {
    this.#insert = database.prepare(`INSERT INTO ${marks} (mark, marked_at) VALUES (?, ?)`)
    this.#has = database.prepare<[string], 1>(`SELECT 1 FROM ${marks} WHERE mark = ?`).pluck()
    this.#deleteOld = database.prepare(
      `DELETE FROM ${marks} WHERE mark IN (SELECT mark FROM ${marks} WHERE marked_at <= ? LIMIT ${STEP})`,
    )
  }

  /** @param now the store's time, in milliseconds */
  add(mark: string, now: number): void {
    this.#insert.run(mark, now)
  }

  has(mark: string): boolean {
    return this.#has.get(mark) === 1
  }

  /** One step. Returns whether there may be more to delete. */
  deleteOld(now: number): boolean {
    return this.#deleteOld.run(now - KEEP_MARK_MS).changes === STEP
  }
}
