import { closeSync, openSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { codeOf, isBusy } from './busy.ts'

/**
 * Tells whether another node lives: each holds a shared lock on a file beside the channel's,
 * which the system takes back when its process ends, however it does. The file stays empty.
 */
export class NodesLock {
  readonly #path: string
  readonly #database: Database.Database

  constructor(fileName: string) {
    this.#path = `${fileName}-comet-nodes`
    try {
      closeSync(openSync(this.#path, 'wx', 0o600))
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    this.#database = new Database(this.#path, { timeout: 0 })
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
    rmSync(this.#path, { force: true })
  }

  close(): void {
    this.#database.close()
  }
}
