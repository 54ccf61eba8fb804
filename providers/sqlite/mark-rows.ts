import type { Database, Statement } from 'better-sqlite3'
import type { Tables } from './schema.ts'

/** How long a mark is kept, in milliseconds of the store's time. */
const KEEP_MS = 600_000

/** How many marks are deleted in one step. */
const STEP = 500

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
    // The inner LIMIT comes first: without it each step would look at all that are to stay.
    this.#deleteOld = database.prepare(
      `DELETE FROM ${marks} WHERE number IN
        (SELECT number FROM (SELECT number, marked_at FROM ${marks} ORDER BY number LIMIT ${STEP}) WHERE marked_at <= ?)`,
    )
  }

  /** @param now the store's time, in milliseconds */
  add(mark: string, now: number): void {
    this.#insert.run(mark, now)
  }

  has(mark: string): boolean {
    return this.#has.get(mark) === 1
  }

  /**
   * One step. Returns whether there may be more to delete.
   * @param sweptTime the store's time of the newest sweep
   */
  deleteOld(sweptTime: number): boolean {
    return this.#deleteOld.run(sweptTime - KEEP_MS).changes === STEP
  }
}

/** Whether a mark of that time is still there, if it ever was. */
export function isKept(markedAt: number, sweptTime: number): boolean {
  return sweptTime - KEEP_MS < markedAt
}
