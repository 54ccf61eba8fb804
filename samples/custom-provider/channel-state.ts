import { type ClientRecord, type Entry, type RetainedLog, type Retention, topicsOf } from 'koa-comet'
import { Claims, type KnownClaim } from './claims.ts'

/** A client with what belongs to it. `record` is what getClient answers, but for the position. */
export interface Row {
  readonly record: Omit<ClientRecord, 'asOf'>
  readonly hash: string
  readonly expiresAt: number
  /** Whether the page said goodbye: then the end of the lease is its leaving. */
  readonly goodbye: boolean
}

/**
 * What one atomic step changes. The file is a list of these, and the state is what they come to: there is no other way
 * to change it. A part that is absent stays as it is.
 */
export interface Change {
  /** When, in milliseconds since 1970 by the store's clock. */
  readonly at: number
  readonly life?: { readonly epoch: string; readonly head: number; readonly trimmedThrough: number }
  readonly entry?: Entry
  readonly key?: { readonly key: string; readonly id: number }
  readonly row?: Row
  /** Public tokens of clients that are removed. */
  readonly removed?: readonly string[]
  /** Hashes of private tokens that are stopped. */
  readonly stopped?: readonly string[]
  readonly claim?: KnownClaim
  /** A sweep: how long is added to every lease first. */
  readonly sweep?: { readonly addedMs: number }
}

/** Changes the state at once, and the file at the end of the step. */
export type Apply = (change: Change) => void

interface Retained {
  readonly at: number
  readonly entry: Entry
}

const MAX_REMEMBERED = 100_000

/** All that a channel knows, in memory. */
export class ChannelState {
  epoch = ''
  head = 0
  trimmedThrough = 0
  sweptAt: number | undefined
  readonly rows = new Map<string, Row>()
  /** By the hash of the private token. */
  readonly publicTokens = new Map<string, string>()
  /** When each hash was stopped. */
  readonly stopped = new Map<string, number>()
  readonly keys = new Map<string, { readonly id: number; readonly at: number }>()
  readonly claims = new Claims()
  readonly #retained: Retained[] = []
  #messages = 0
  #bytes = 0

  apply({ at, life, entry, key, row, removed = [], stopped = [], claim, sweep }: Change): void {
    if (life) Object.assign(this, life)
    if (entry) {
      this.#retained.push({ at, entry })
      this.#count(entry, 1)
      this.head = entry.id
    }
    if (key) this.keys.set(key.key, { id: key.id, at })
    for (const publicToken of removed) {
      const row = this.rows.get(publicToken)!
      this.publicTokens.delete(row.hash)
      this.rows.delete(publicToken)
      this.claims.forgetClient(row.record.client.generation)
    }
    for (const hash of stopped) this.stopped.set(hash, at)
    if (claim) this.claims.put(claim)
    if (sweep) {
      this.sweptAt = at
      this.claims.forgetOld(at)
      if (sweep.addedMs !== 0) {
        for (const row of this.rows.values()) this.#put({ ...row, expiresAt: row.expiresAt + sweep.addedMs })
      }
    }
    if (row) this.#put(row)
  }

  /** The changes that make this state out of an empty one. */
  *changes(): Generator<Change> {
    const { epoch, head, trimmedThrough, sweptAt } = this
    for (const { at, entry } of this.#retained) yield { at, entry }
    yield { at: 0, life: { epoch, head, trimmedThrough } }
    if (sweptAt !== undefined) yield { at: sweptAt, sweep: { addedMs: 0 } }
    for (const row of this.rows.values()) yield { at: 0, row }
    for (const claim of this.claims.all()) yield { at: 0, claim }
    for (const [hash, at] of this.stopped) yield { at, stopped: [hash] }
    for (const [key, { id, at }] of this.keys) yield { at, key: { key, id } }
  }

  /** The client of an operation, or of a claim, if it exists. */
  find({ publicToken, generation }: { publicToken: string; generation?: number }): Row | undefined {
    const row = this.rows.get(publicToken)
    return generation === undefined || row?.record.client.generation === generation ? row : undefined
  }

  /** Those whom one of the topics addresses. */
  audience(topics: readonly string[]): Row[] {
    const wanted = new Set(topics)
    return [...this.rows.values()].filter(({ record }) =>
      topicsOf(record.client).some((topic) => wanted.has(topic)),
    )
  }

  get window(): RetainedLog {
    const { epoch, head, trimmedThrough } = this
    return { epoch, entries: this.#retained.map(({ entry }) => entry), head, trimmedThrough }
  }

  /** Forgets what is over the retention. Is no change: when the file is read again, this is done again. */
  trim({ seconds, messages, bytes }: Retention, now: number): void {
    const since = now - seconds * 1000
    forgetOldest(this.stopped, (at) => at < since || this.stopped.size > MAX_REMEMBERED)
    forgetOldest(this.keys, ({ at }) => at < since || this.keys.size > MAX_REMEMBERED)
    let over = 0
    for (const { at, entry } of this.#retained) {
      if (at >= since && this.#messages <= messages && this.#bytes <= bytes) break
      this.#count(entry, -1)
      this.trimmedThrough = entry.id
      over += 1
    }
    if (over > 0) this.#retained.splice(0, over)
  }

  #count(entry: Entry, sign: 1 | -1): void {
    if (entry.kind !== 'message') return
    this.#messages += sign
    this.#bytes += sign * (Buffer.byteLength(entry.name) + Buffer.byteLength(entry.contents))
  }

  #put(row: Row): void {
    this.rows.set(row.record.client.publicToken, row)
    this.publicTokens.set(row.hash, row.record.client.publicToken)
  }
}

/** A map in the order of time forgets its oldest. */
function forgetOldest<T>(map: Map<string, T>, isOver: (value: T) => boolean): void {
  for (const [key, value] of map) {
    if (!isOver(value)) return
    map.delete(key)
  }
}
