import { rmSync, statSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { isBusy } from './busy.ts'
import { openDatabase } from './database-file.ts'
import { explained } from './store-errors.ts'

/**
 * Tells whether another node lives: each holds a shared lock on a file beside the channel's, which the system takes
 * back when its process ends, however it does. The file stays empty, and is for whom the channel's is.
 */
export class NodesLock {
  readonly #path: string
  readonly #database: Database

  constructor(fileName: string) {
    this.#path = `${fileName}-comet-nodes`
    try {
      this.#database = openDatabase(this.#path, statSync(fileName))
    } catch (error) {
      throw explained(error, this.#path, 0)
    }
  }

  /** From now on others see that this node lives. */
  hold(): void {
    if (!this.#database.inTransaction) this.#database.exec('BEGIN')
    // Only a read takes the lock.
    this.#database.prepare('SELECT count(*) FROM sqlite_schema').get()
  }

  /** Whether no other node lives. What this one holds it gives up. */
  isAlone(): boolean {
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
    try {
      this.#database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      if (isBusy(error)) return false
      throw error
    }
    this.#database.exec('ROLLBACK')
    return true
  }

  /** Takes the file away. Only while no other node can open it. */
  remove(): void {
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // Where each may remove only what is his. It does no harm there.
    }
  }

  close(): void {
    this.#database.close()
  }
}
