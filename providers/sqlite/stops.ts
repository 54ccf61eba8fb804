import type { CometClient } from '../../lib/comet-client.ts'
import type { StopOperation } from '../../lib/comet-state-provider.ts'
import { type ClientTables, removeClient } from './client-removal.ts'
import type { ClientRow } from './client-rows.ts'
import type { ExistingClients } from './existing-clients.ts'
import type { RememberedRows } from './remembered-rows.ts'
import { newStop, type Stop, type StopRows } from './stop-rows.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** How much of a stop is carried out in one transaction: so many clients and topics looked at, and entries added. */
const STEP_LOOKS = 100
const STEP_ENTRIES = 500

export interface StopTables extends ClientTables {
  readonly existing: ExistingClients
  readonly stops: StopRows
  /** The hashes of stopped tokens. */
  readonly stopped: RememberedRows
}

/** What one step of a stop did. */
export interface StopStep {
  readonly id: number
  readonly stopped: CometClient[]
  /** Whether there is more to do, by {@link Stops.next}. */
  readonly more: boolean
}

/** Carries stops out, in steps. A client whom a stop has hit is as good as removed, whoever asks. */
export class Stops {
  readonly #tables: StopTables
  readonly #rememberMs: number

  /** @param rememberMs how long stopped tokens are remembered */
  constructor(tables: StopTables, rememberMs: number) {
    this.#tables = tables
    this.#rememberMs = rememberMs
  }

  /** Adds the stop entry and takes the first step. What it leaves is known to all from here on. */
  begin({ topics, except }: StopOperation, transaction: WriteTransaction): StopStep {
    const id = this.#tables.log.add(transaction, (id) => ({ kind: 'stop', id, topics, except }))
    const stop = newStop(id, topics, except)
    const stopped = this.#step(stop, transaction)
    const more = stop.topic < stop.topics.length
    if (more) this.#tables.stops.insert(stop, transaction)
    return { id, stopped, more }
  }

  /** The next step of a stop. Nothing is left to do if somebody else has taken it over. */
  next(id: number, transaction: WriteTransaction): StopStep {
    const { stops } = this.#tables
    const stop = this.#tables.existing.stops(transaction).find((pending) => pending.id === id)
    if (stop === undefined) return { id, stopped: [], more: false }
    const aside = stops.takeAside(stop, STEP_LOOKS)
    const stopped = [...aside, ...this.#step(stop, transaction)]
    const more = stop.topic < stop.topics.length || aside.length === STEP_LOOKS
    if (more) stops.move(stop)
    else stops.delete(stop, transaction)
    return { id, stopped, more }
  }

  /** Removes a client whom a stop has hit, as its step would. */
  finish(row: ClientRow, stop: Stop, transaction: WriteTransaction): CometClient {
    this.#tables.stopped.remember(row.privateHash, stop.id, transaction.now + this.#rememberMs)
    return removeClient(row, transaction, this.#tables)
  }

  /** The same, where whoever carries out the stop is to name it. */
  finishAside(row: ClientRow, stop: Stop, transaction: WriteTransaction): void {
    this.#tables.stops.setAside(stop, this.finish(row, stop, transaction))
  }

  /** Removes so many whom stops have hit, to make room for others, or as many as one step does. */
  makeRoom(count: number, transaction: WriteTransaction): void {
    let missing = count
    for (const stop of this.#tables.existing.stops(transaction)) {
      if (missing <= 0) return
      const stopped = this.#step(stop, transaction, missing)
      this.#tables.stops.move(stop)
      for (const client of stopped) this.#tables.stops.setAside(stop, client)
      missing -= stopped.length
    }
  }

  /** Removes the next of its audience, until so much was looked at or so many were removed. */
  #step(stop: Stop, transaction: WriteTransaction, most = STEP_LOOKS): CometClient[] {
    const stopped: CometClient[] = []
    const lastEntry = transaction.added.length + STEP_ENTRIES
    let looks = 0
    while (stop.topic < stop.topics.length && looks < STEP_LOOKS) {
      const count = STEP_LOOKS - looks
      const rows = this.#tables.audience.page(stop.topics[stop.topic]!, stop.after, count)
      for (const row of rows) {
        stop.after = row.generation
        if (row.joined > stop.id || stop.except.has(row.publicToken)) continue
        stopped.push(this.finish(row, stop, transaction))
        if (stopped.length === most || transaction.added.length >= lastEntry) return stopped
      }
      looks += Math.max(rows.length, 1)
      if (rows.length === count) continue
      stop.topic += 1
      stop.after = 0
    }
    return stopped
  }
}
