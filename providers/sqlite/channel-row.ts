import type { Database, Statement } from 'better-sqlite3'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'

/** What the file keeps of a channel as a whole. Changes of it are part of the transaction that it was read in. */
export interface ChannelRow {
  epoch: string
  /** The highest id given, or the position before the first. */
  head: number
  trimmedThrough: number
  /** How much of the log is retained. */
  entries: number
  messages: number
  bytes: number
  clients: number
  /** How many stops are being carried out, or were cut off. */
  stops: number
  /** How much of replies is kept. */
  replyBytes: number
  /** When somebody last swept: milliseconds since 1970. */
  sweptAt: number
  /** How many milliseconds up to then do not count, since nobody swept. */
  unswept: number
  /** 0 while a node with durability 'normal' may have commits that a power cut would take. */
  isClean: 0 | 1
}

const SWEEP_GAP_MS = 2 * SWEEP_PERIOD_SECONDS * 1000

const COLUMNS = {
  epoch: 'epoch',
  head: 'head',
  trimmedThrough: 'trimmed_through',
  entries: 'entries',
  messages: 'messages',
  bytes: 'bytes',
  clients: 'clients',
  stops: 'stops',
  replyBytes: 'reply_bytes',
  sweptAt: 'swept_at',
  unswept: 'unswept',
  isClean: 'is_clean',
} as const satisfies Record<keyof ChannelRow, string>

/** What a SELECT of {@link ChannelRow} selects. */
export const CHANNEL_COLUMNS = Object.entries(COLUMNS)
  .map(([name, column]) => `${column} AS ${name}`)
  .join(', ')

/** Reads and writes one channel's row by one connection. */
export class ChannelRows {
  readonly #select: Statement<[number], ChannelRow>
  readonly #update: Statement<[ChannelRow & { readonly number: number }]>
  readonly #number: number

  constructor(database: Database, number: number) {
    this.#number = number
    const assignments = Object.entries(COLUMNS).map(([name, column]) => `${column} = @${name}`)
    this.#select = database
      .prepare<[number], ChannelRow>(`SELECT ${CHANNEL_COLUMNS} FROM main.comet_channels WHERE number = ?`)
      .safeIntegers(false)
    this.#update = database.prepare(
      `UPDATE main.comet_channels SET ${assignments.join(', ')} WHERE number = @number`,
    )
  }

  read(): ChannelRow {
    const row = this.#select.get(this.#number)
    if (row === undefined) throw new Error('The channel is gone from the file: somebody has deleted its row.')
    return row
  }

  write(row: ChannelRow): void {
    this.#update.run({ ...row, number: this.#number })
  }
}

/**
 * The store's clock in milliseconds, by which leases run: time in which nobody swept, and nobody could be seen, is
 * taken out of it by the next sweep. It never goes back but by that.
 */
export function leaseTime({ sweptAt, unswept }: ChannelRow, now: number): number {
  return Math.max(now, sweptAt) - unswept
}

/**
 * The same clock for all that is forgotten after a time: entries, keys, stopped tokens. It does not run ahead of the
 * sweeps, so that nothing is forgotten for time that the next sweep takes out.
 */
export function storeTime({ sweptAt, unswept }: ChannelRow, now: number): number {
  return Math.min(Math.max(now, sweptAt), sweptAt + SWEEP_GAP_MS) - unswept
}

/** The same clock at the newest sweep. It never goes back, whatever the system's clock does. */
export function sweptTime({ sweptAt, unswept }: ChannelRow): number {
  return sweptAt - unswept
}

/** Takes note that somebody sweeps now. A gap too long, or a jump of the clock back, is taken out of the store's time. */
export function noteSweep(row: ChannelRow, now: number): void {
  const gap = now - row.sweptAt
  if (gap < 0 || gap > SWEEP_GAP_MS) row.unswept += gap
  row.sweptAt = now
}
