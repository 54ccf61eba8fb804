import type { Database, Statement } from 'better-sqlite3'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { retainedBytes } from '../../lib/retained-window.ts'
import type { Tables } from './schema.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** An entry as its table has it. `name` is the message's, or the public token of whom else it is about. */
interface EntryRow {
  readonly id: number
  readonly kind: Entry['kind']
  readonly name: string | null
  readonly contents: string | null
  readonly topics: string | null
  readonly excluded: string | null
  readonly generation: number | null
}

type StoredRow = EntryRow & { readonly storedAt: number; readonly bytes: number }

/** An entry that has no id yet. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, 'id'> : never) : never

const NO_FIELDS = { name: null, contents: null, topics: null, excluded: null, generation: null }

/** Adds entries to a channel's log, by any connection. */
export class EntryAppender {
  readonly #insert: Statement<[StoredRow]>

  constructor(database: Database, { entries }: Tables) {
    this.#insert = database.prepare(
      `INSERT INTO ${entries} (id, kind, stored_at, bytes, name, contents, topics, excluded, generation)
       VALUES (@id, @kind, @storedAt, @bytes, @name, @contents, @topics, @excluded, @generation)`,
    )
  }

  /** Gives the entry the next id. */
  add(transaction: WriteTransaction, newEntry: NewEntry): number {
    const { channel, now, added } = transaction
    channel.head += 1
    const entry: Entry = Object.freeze({ ...newEntry, id: channel.head })
    const bytes = retainedBytes(entry)
    this.#insert.run({ ...rowOf(entry), storedAt: now, bytes })
    channel.entries += 1
    channel.bytes += bytes
    if (entry.kind === 'message') channel.messages += 1
    added.push(entry)
    transaction.addedBytes += bytes
    return entry.id
  }
}

/** Reads the log of a channel, and drops its oldest entries. */
export class EntryRows {
  readonly #after: Statement<[number], EntryRow>
  readonly #oldest: Statement<[], Pick<StoredRow, 'id' | 'kind' | 'storedAt' | 'bytes'>>
  readonly #deleteThrough: Statement<[number]>

  constructor(database: Database, { entries }: Tables) {
    this.#after = database.prepare(
      `SELECT id, kind, name, contents, topics, excluded, generation FROM ${entries} WHERE id > ? ORDER BY id`,
    )
    this.#oldest = database.prepare(
      `SELECT id, kind, stored_at AS storedAt, bytes FROM ${entries} ORDER BY id`,
    )
    this.#deleteThrough = database.prepare(`DELETE FROM ${entries} WHERE id <= ?`)
  }

  /** What comes after the position, in order, up to about so much at once. */
  after(position: number, maxEntries: number, maxBytes: number): Entry[] {
    const found: Entry[] = []
    let bytes = 0
    for (const row of this.#after.iterate(position)) {
      found.push(entryOf(row))
      bytes += lengthOf(row)
      if (found.length >= maxEntries || bytes >= maxBytes) break
    }
    return found
  }

  /** From the oldest on, only as far as is asked for. To be looked through before anything else is done. */
  oldest(): Iterable<Pick<StoredRow, 'id' | 'kind' | 'storedAt' | 'bytes'>> {
    return this.#oldest.iterate()
  }

  deleteThrough(id: number): void {
    this.#deleteThrough.run(id)
  }
}

function lengthOf({ name, contents, topics, excluded }: EntryRow): number {
  return [name, contents, topics, excluded].reduce((sum, text) => sum + (text?.length ?? 0), 0)
}

function rowOf(entry: Entry): EntryRow {
  const { id, kind } = entry
  switch (entry.kind) {
    case 'message': {
      const { name, contents, topics, except } = entry
      const excluded = except.length === 0 ? null : JSON.stringify(except)
      return { ...NO_FIELDS, id, kind, name, contents, topics: JSON.stringify(topics), excluded }
    }
    case 'initialise':
      return { ...NO_FIELDS, id, kind, name: entry.publicToken }
    case 'remove':
      return { ...NO_FIELDS, id, kind, name: entry.publicToken, generation: entry.generation }
    case 'stop':
      return { ...NO_FIELDS, id, kind, topics: JSON.stringify(entry.topics) }
  }
}

function entryOf({ id, kind, name, contents, topics, excluded, generation }: EntryRow): Entry {
  const listOf = (json: string | null): string[] => (json === null ? [] : (JSON.parse(json) as string[]))
  switch (kind) {
    case 'message':
      return { kind, id, topics: listOf(topics), except: listOf(excluded), name: name!, contents: contents! }
    case 'initialise':
      return { kind, id, publicToken: name! }
    case 'remove':
      return { kind, id, publicToken: name!, generation: generation! }
    case 'stop':
      return { kind, id, topics: listOf(topics) }
  }
}
