import type { Database } from 'better-sqlite3'
import type { ClientRecord } from '../../lib/comet-state-provider.ts'
import { AudienceRows } from './audience-rows.ts'
import { type ChannelRows, storeTime } from './channel-row.ts'
import { type ClientRow, ClientRows, recordOf } from './client-rows.ts'
import { RememberedRows } from './remembered-rows.ts'
import { tablesOf } from './schema.ts'
import { isHit, PendingStops } from './stop-rows.ts'
import { snapshot } from './write-transaction.ts'

/** How many clients are listed at a time. */
const PAGE = 200

/** Some of an audience. */
export interface ClientPage {
  readonly rows: readonly ClientRow[]
  /** After which generation it goes on; undefined: nowhere. */
  readonly next: number | undefined
}

/** Reads clients, without a write. Each call is synchronous, and of one moment. */
export class ClientReader {
  readonly #database: Database
  readonly #number: number
  readonly #rows: ChannelRows
  readonly #clients: ClientRows
  readonly #audience: AudienceRows
  readonly #stops: PendingStops
  readonly #stopped: RememberedRows

  constructor(database: Database, number: number, rows: ChannelRows) {
    const tables = tablesOf(number)
    this.#database = database
    this.#number = number
    this.#rows = rows
    this.#clients = new ClientRows(database, tables)
    this.#audience = new AudienceRows(database, tables)
    this.#stops = new PendingStops(database, tables)
    this.#stopped = new RememberedRows(database, tables.stopped)
  }

  /** @param now milliseconds since 1970 */
  get(privateHash: string, now: number): ClientRecord | 'stopped' | undefined {
    const row = this.#clients.find(this.#number, privateHash)
    if (row?.stops === 0) return recordOf(row)
    // Several tables say what it is: the others must not be of a later moment.
    return snapshot(this.#database, () => {
      const row = this.#clients.find(this.#number, privateHash)
      if (row) return this.#stops.all().some((stop) => isHit(row, stop)) ? 'stopped' : recordOf(row)
      const isStopped = this.#stopped.find(privateHash, storeTime(this.#rows.read(), now)) !== undefined
      return isStopped ? 'stopped' : undefined
    })
  }

  /** The next whom the topic addresses: those above the generation `after`. */
  page(topic: string, after: number): ClientPage {
    const rows = this.#audience.page(topic, after, PAGE)
    const stops = this.#rows.read().stops === 0 ? [] : this.#stops.all()
    return {
      rows: rows.filter((row) => !stops.some((stop) => isHit(row, stop))),
      next: rows.length < PAGE ? undefined : rows.at(-1)!.generation,
    }
  }
}
