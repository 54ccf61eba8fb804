import type { Database } from 'better-sqlite3'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { retryWhileBusy } from './busy.ts'
import { type ChannelRow, type ChannelRows, leaseTime, storeTime } from './channel-row.ts'

/** What a column of an entry can hold. */
export type EntryValue = string | number | null

/** What is done within one transaction. */
export class WriteTransaction {
  /** The channel as it is, to be changed in place. */
  readonly channel: ChannelRow
  /** Milliseconds since 1970. */
  readonly wallTime: number
  /** What was added to the log. */
  readonly added: Entry[] = []
  /** The columns of that, as far as it is not in its table yet: one row after the other. */
  readonly unstored: EntryValue[] = []
  /** About how much of it is retained. */
  addedBytes = 0

  constructor(channel: ChannelRow, wallTime: number) {
    this.channel = channel
    this.wallTime = wallTime
  }

  /** By which it is forgotten what is too old: milliseconds. */
  get now(): number {
    return storeTime(this.channel, this.wallTime)
  }

  /** By which leases run: milliseconds. */
  get leaseTime(): number {
    return leaseTime(this.channel, this.wallTime)
  }
}

/** What a transaction did, once it is committed. */
export interface Committed<T> {
  readonly result: T
  /** The position of the log before it. */
  readonly before: number
  readonly epoch: string
  readonly added: readonly Entry[]
}

/** Writes to a channel in transactions of its connection, each whole within one turn of the event loop. */
export class Writer {
  readonly #database: Database
  readonly #rows: ChannelRows
  readonly #lockTimeoutSeconds: number
  readonly #now: () => number

  constructor(database: Database, rows: ChannelRows, lockTimeoutSeconds: number, now: () => number) {
    this.#database = database
    this.#rows = rows
    this.#lockTimeoutSeconds = lockTimeoutSeconds
    this.#now = now
  }

  /** Does it when no other connection is in the way. Whatever it throws, nothing of it is left. */
  write<T>(work: (transaction: WriteTransaction) => T): Promise<Committed<T>> {
    return retryWhileBusy(this.#lockTimeoutSeconds, () =>
      transact(this.#database, () => {
        const transaction = new WriteTransaction(this.#rows.read(), this.#now())
        const { channel, added } = transaction
        const { head: before } = channel
        const result = work(transaction)
        this.#rows.write(channel)
        return { result, before, epoch: channel.epoch, added }
      }),
    )
  }
}

/** One write transaction, begun with the write lock: one that reads first could not get it any more. */
export function transact<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // Where the disk is full, SQLite has rolled back by itself.
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Reads while nobody else can write, or has written what is not committed. Throws `SQLITE_BUSY` if somebody has. */
export function withWriteLock<T>(database: Database, read: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    return read()
  } finally {
    if (database.inTransaction) database.exec('ROLLBACK')
  }
}

/** Several reads of one moment. */
export function snapshot<T>(database: Database, work: () => T): T {
  database.exec('BEGIN')
  try {
    return work()
  } finally {
    if (database.inTransaction) database.exec('ROLLBACK')
  }
}
