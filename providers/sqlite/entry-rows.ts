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

/** A row as it is bound: by position, since binding by name takes longer than all else of an insert. */
type StoredRow = [
  id: number,
  kind: Entry['kind'],
  storedAt: number,
  bytes: number,
  name: string | null,
  contents: string | null,
  topics: string | null,
  excluded: string | null,
  generation: number | null,
]

/** What is read to find out how much to drop. */
type OldEntry = Pick<EntryRow, 'id' | 'kind'> & { readonly storedAt: number; readonly bytes: number }

/** Adds entries to a channel's log, by any connection. */
export class EntryAppender {
  readonly #insert: Statement<StoredRow>

  constructor(database: Database, { entries }: Tables) {
    this.#insert = database.prepare(
      `INSERT INTO ${entries} (id, kind, stored_at, bytes, name, contents, topics, excluded, generation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  /** Adds the entry that is made of the next id. */
  add(transaction: WriteTransaction, entryOf: (id: number) => Entry): number {
    const { channel, now, added } = transaction
    channel.head += 1
    const entry = Object.freeze(entryOf(channel.head))
    const bytes = retainedBytes(entry)
    this.#insert.run(...rowOf(entry, now, bytes))
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
  readonly #oldest: Statement<[], OldEntry>
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
  oldest(): Iterable<OldEntry> {
    return this.#oldest.iterate()
  }

  deleteThrough(id: number): void {
    this.#deleteThrough.run(id)
  }
}

function lengthOf({ name, contents, topics, excluded }: EntryRow): number {
  return [name, contents, topics, excluded].reduce((sum, text) => sum + (text?.length ?? 0), 0)
}

function rowOf(entry: Entry, storedAt: number, bytes: number): StoredRow {
  const { id, kind } = entry
  switch (entry.kind) {
    case 'message': {
      const { name, contents, topics, except } = entry
      const excluded = except.length === 0 ? null : JSON.stringify(except)
      return [id, kind, storedAt, bytes, name, contents, JSON.stringify(topics), excluded, null]
    }
    case 'initialise':
      return [id, kind, storedAt, bytes, entry.publicToken, null, null, null, null]
    case 'remove':
      return [id, kind, storedAt, bytes, entry.publicToken, null, null, null, entry.generation]
    case 'stop':
      return [id, kind, storedAt, bytes, null, null, JSON.stringify(entry.topics), null, null]
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
