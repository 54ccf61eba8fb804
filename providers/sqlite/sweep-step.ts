import type { Database } from 'better-sqlite3'
import type { RemovedClient, Retention } from '../../lib/comet-state-provider.ts'
import { sweptTime } from './channel-row.ts'
import { clientOf } from './client-rows.ts'
import type { EntryRows } from './entry-rows.ts'
import type { LeaseRows } from './lease-rows.ts'
import { MarkRows } from './mark-rows.ts'
import type { Operations, OperationTables } from './operations.ts'
import { Forgetting } from './remembered-rows.ts'
import { trimStep } from './retention-step.ts'
import { tablesOf } from './schema.ts'
import type { Stops } from './stops.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** How many clients are removed in one transaction, and about how many entries added: a few milliseconds. */
const REMOVALS_PER_STEP = 100
const ENTRIES_PER_STEP = 500

/** What one step of a sweep did. */
export interface SweptStep {
  readonly removed: RemovedClient[]
  readonly more: boolean
}

/** Removes the idle, and what is over the retention, a little at a time. */
export class SweepStep {
  readonly #tables: OperationTables
  readonly #operations: Operations
  readonly #stops: Stops
  readonly #leases: LeaseRows
  readonly #entries: EntryRows
  readonly #retention: Retention
  readonly #forgetting: readonly Forgetting[]
  readonly #marks: MarkRows

  constructor(
    database: Database,
    channel: number,
    retention: Retention,
    parts: {
      readonly tables: OperationTables
      readonly operations: Operations
      readonly stops: Stops
      readonly leases: LeaseRows
      readonly entries: EntryRows
    },
  ) {
    const tables = tablesOf(channel)
    this.#tables = parts.tables
    this.#operations = parts.operations
    this.#stops = parts.stops
    this.#leases = parts.leases
    this.#entries = parts.entries
    this.#retention = retention
    this.#forgetting = [new Forgetting(database, tables.keys), new Forgetting(database, tables.stopped)]
    this.#marks = new MarkRows(database, tables)
  }

  do(transaction: WriteTransaction): SweptStep {
    const { removed, more } = this.#removeExpired(transaction)
    const hasMoreToForget = this.#forgetting.map((table) => table.step(transaction.now)).includes(true)
    const hasMoreClaims = this.#tables.claims.forgetStep(transaction)
    const hasMoreMarks = this.#marks.deleteOld(sweptTime(transaction.channel))
    const hasMoreToTrim = this.storeAndTrim(transaction)
    return { removed, more: more || hasMoreToForget || hasMoreClaims || hasMoreMarks || hasMoreToTrim }
  }

  /** Returns whether there may be more to trim. */
  storeAndTrim(transaction: WriteTransaction): boolean {
    this.#tables.log.store(transaction)
    return trimStep(this.#entries, transaction, this.#retention)
  }

  #removeExpired(transaction: WriteTransaction): SweptStep {
    const removed: RemovedClient[] = []
    const rows = this.#leases.expired(transaction.leaseTime, REMOVALS_PER_STEP)
    for (const row of rows) {
      if (transaction.added.length >= ENTRIES_PER_STEP) return { removed, more: true }
      const stop = this.#tables.existing.stopOf(row, transaction)
      if (stop) {
        removed.push({ client: this.#stops.finish(row, stop, transaction), reason: 'stopped' })
        continue
      }
      this.#operations.remove(row, transaction)
      removed.push({ client: clientOf(row), reason: row.goodbye === 1 ? 'goodbye' : 'idle' })
    }
    return { removed, more: rows.length === REMOVALS_PER_STEP }
  }
}
