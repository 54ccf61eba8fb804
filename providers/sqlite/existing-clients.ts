import type { Database, Statement } from 'better-sqlite3'
import { CLIENT_COLUMNS, type ClientRow } from './client-rows.ts'
import type { Tables } from './schema.ts'
import { isHit, PendingStops, type Stop } from './stop-rows.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** Which clients exist, by any connection: those that have a row, and whom no stop has hit. */
export class ExistingClients {
  readonly #withToken: Statement<[string], ClientRow>
  readonly #pending: PendingStops
  readonly #stops = new WeakMap<WriteTransaction, readonly Stop[]>()

  constructor(database: Database, tables: Tables) {
    this.#withToken = database
      .prepare<[string], ClientRow>(`SELECT ${CLIENT_COLUMNS} FROM ${tables.clients} WHERE public_token = ?`)
      .safeIntegers(false)
    this.#pending = new PendingStops(database, tables)
  }

  /** @param generation undefined: whoever bears the public token */
  find(
    publicToken: string,
    generation: number | undefined,
    transaction: WriteTransaction,
  ): ClientRow | undefined {
    const row = this.withToken(publicToken)
    if (row === undefined || (generation !== undefined && row.generation !== generation)) return undefined
    return this.stopOf(row, transaction) ? undefined : row
  }

  /** Who has this public token, also if a stop has hit it. */
  withToken(publicToken: string): ClientRow | undefined {
    return this.#withToken.get(publicToken)
  }

  /** The stop that has hit a client which still has its row. */
  stopOf(row: ClientRow, transaction: WriteTransaction): Stop | undefined {
    return this.stops(transaction).find((stop) => isHit(row, stop))
  }

  /** The stops that are not carried out wholly: normally none, and then no table is read. */
  stops(transaction: WriteTransaction): readonly Stop[] {
    if (transaction.channel.stops === 0) return []
    const known = this.#stops.get(transaction) ?? this.#pending.all()
    this.#stops.set(transaction, known)
    return known
  }
}
