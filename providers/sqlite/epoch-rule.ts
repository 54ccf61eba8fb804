import { randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { ChannelRows } from './channel-row.ts'
import { setDurability } from './database-file.ts'
import { NodesLock } from './nodes-lock.ts'
import type { Durability } from './options.ts'
import { tablesOf } from './schema.ts'
import { transact } from './write-transaction.ts'

/** The random name of a new life of the log. */
export function randomEpoch(): string {
  return randomBytes(12).toString('base64url')
}

/** Above all ids that an earlier life can have given: microseconds since 1970. */
export function firstHead(now: number): number {
  return Math.floor(now) * 1000
}

/** More ids than a power cut can have taken: the clock may have been set back since they were given. */
const LOST_AT_MOST = 1_000_000_000

/**
 * With durability 'normal' a power cut can take the newest commits, whose ids pages have seen already. So the channels
 * of a file that was not closed cleanly by the last such node begin a new epoch. The mark itself is always written
 * with durability 'full', before anything else is promised.
 */
export class EpochRule {
  readonly #database: Database
  readonly #durability: Durability
  readonly #path: string
  #lock: NodesLock | undefined

  constructor(database: Database, durability: Durability, path: string) {
    this.#database = database
    this.#durability = durability
    this.#path = path
  }

  /** Within the transaction that opens the channel, so that of two nodes that open one comes first. */
  opening(channel: number, now: number): void {
    const unclean = this.#unclean()
    // Anew at each try: the last one that leaves removes the file.
    this.#lock?.close()
    this.#lock = new NodesLock(this.#path)
    // Of all channels: once this node holds the lock, who opens another one could not tell any more.
    if (unclean.length > 0 && this.#lock.isAlone()) {
      for (const number of unclean) this.#beginEpoch(number, now)
    }
    // With durability 'full' as well: who lives has seen the log, which then was not lost.
    this.#lock.hold()
    if (this.#durability === 'full') return
    this.#database.prepare('UPDATE main.comet_channels SET is_clean = 0 WHERE number = ?').run(channel)
  }

  /** Whether no log of the file is lost when nobody marks that all is written. */
  isClean(): boolean {
    return this.#unclean().length === 0
  }

  /** The last one that leaves marks that all is written, of every channel. */
  closing(): void {
    if (this.#lock === undefined) return
    setDurability(this.#database, 'full')
    transact(this.#database, () => {
      if (!this.#lock?.isAlone()) return
      this.#database.exec('UPDATE main.comet_channels SET is_clean = 1 WHERE is_clean = 0')
      this.#lock.remove()
    })
  }

  close(): void {
    this.#lock?.close()
  }

  #unclean(): number[] {
    const select = 'SELECT number FROM main.comet_channels WHERE is_clean = 0'
    return this.#database.prepare<[], number>(select).pluck().all()
  }

  #beginEpoch(channel: number, now: number): void {
    const rows = new ChannelRows(this.#database, channel)
    const row = rows.read()
    const head = Math.max(row.head + LOST_AT_MOST, firstHead(now))
    const log = { epoch: randomEpoch(), head, trimmedThrough: head, entries: 0, messages: 0, bytes: 0 }
    rows.write({ ...row, ...log, isClean: 1 })
    this.#database.exec(`DELETE FROM ${tablesOf(channel).entries}`)
  }
}
