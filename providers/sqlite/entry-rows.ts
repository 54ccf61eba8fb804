import type { Database, Statement } from 'better-sqlite3'
import type { PublicCometClient } from '../../lib/comet-client.ts'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { retainedBytes } from '../../lib/retained-window.ts'
import { EVERYBODY, EVERYBODY_TOPICS } from '../../lib/topics.ts'
import type { Tables } from './schema.ts'
import type { EntryValue, WriteTransaction } from './write-transaction.ts'

/**
 * An entry as its table has it. `name` is the message's, or the group's, or the public token of whom else it is about;
 * `contents` the message's, or what others may know of a client; `topics` also the groups of one that was updated.
 */
interface EntryRow {
  readonly id: number
  readonly kind: Entry['kind']
  readonly name: string | null
  readonly contents: string | null
  readonly topics: string | null
  readonly excluded: string | null
  readonly generation: number | null
}

/** The columns in the order in which they are bound: by name would take longer than all else of an insert. */
const COLUMNS = 'id, kind, stored_at, bytes, name, contents, topics, excluded, generation'
const ROW = `(${COLUMNS.replaceAll(/\w+/g, '?')})`
const COLUMN_COUNT = COLUMNS.split(',').length

/** A row that is one of ten in a statement takes about half the time of one that has a statement of its own. */
const ROWS_AT_ONCE = 10

type Details = Pick<EntryRow, 'name' | 'contents' | 'topics' | 'excluded' | 'generation'>

const NO_DETAILS: Details = { name: null, contents: null, topics: null, excluded: null, generation: null }

/** What is read to find out how much to drop. */
type OldEntry = Pick<EntryRow, 'id' | 'kind'> & { readonly storedAt: number; readonly bytes: number }

/** Adds entries to a channel's log, by any connection. */
export class EntryAppender {
  readonly #insertOne: Statement<EntryValue[]>
  readonly #insertMany: Statement<EntryValue[]>

  constructor(database: Database, { entries }: Tables) {
    const insert = (rows: readonly string[]): Statement<EntryValue[]> =>
      database.prepare(`INSERT INTO ${entries} (${COLUMNS}) VALUES ${rows.join(', ')}`)
    this.#insertOne = insert([ROW])
    this.#insertMany = insert(Array.from({ length: ROWS_AT_ONCE }, () => ROW))
  }

  /** Adds the entry that is made of the next id. It is not in the table before {@link store}. */
  add(transaction: WriteTransaction, entryOf: (id: number) => Entry): number {
    const { channel, now, added, unstored } = transaction
    channel.head += 1
    const entry = Object.freeze(entryOf(channel.head))
    const bytes = retainedBytes(entry)
    const { name, contents, topics, excluded, generation } = detailsOf(entry)
    unstored.push(entry.id, entry.kind, now, bytes, name, contents, topics, excluded, generation)
    channel.entries += 1
    channel.bytes += bytes
    if (entry.kind === 'message') channel.messages += 1
    added.push(entry)
    transaction.addedBytes += bytes
    return entry.id
  }

  /** Stores what was added: to be called before the transaction ends, or the table is read. */
  store({ unstored }: WriteTransaction): void {
    let stored = 0
    const next = (rows: number): EntryValue[] => {
      const begin = stored
      stored += rows * COLUMN_COUNT
      return unstored.slice(begin, stored)
    }
    while (unstored.length - stored >= ROWS_AT_ONCE * COLUMN_COUNT)
      this.#insertMany.run(...next(ROWS_AT_ONCE))
    while (stored < unstored.length) this.#insertOne.run(...next(1))
    unstored.length = 0
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

/** The columns that depend on the kind. */
function detailsOf(entry: Entry): Details {
  switch (entry.kind) {
    case 'message': {
      const { name, contents, topics, except } = entry
      const addresses = { topics: topicsColumn(topics), excluded: exceptColumn(except) }
      return { name, contents, ...addresses, generation: null }
    }
    case 'initialise':
      return { ...NO_DETAILS, name: entry.publicToken }
    case 'update': {
      const { client, groups, generation } = entry
      return { ...NO_DETAILS, contents: JSON.stringify(client), topics: JSON.stringify(groups), generation }
    }
    case 'join':
    case 'leave': {
      const { client, group, generation } = entry
      return { ...NO_DETAILS, name: group, contents: JSON.stringify(client), generation }
    }
    case 'remove':
      return { ...NO_DETAILS, name: entry.publicToken, generation: entry.generation }
    case 'stop':
      return { ...NO_DETAILS, topics: topicsColumn(entry.topics), excluded: exceptColumn(entry.except) }
  }
}

/** Most are for everybody: those have no text that would have to be made, stored and read. */
function topicsColumn(topics: readonly string[]): string | null {
  return topics.length === 1 && topics[0] === EVERYBODY ? null : JSON.stringify(topics)
}

function topicsOf(column: string | null): readonly string[] {
  return column === null ? EVERYBODY_TOPICS : (JSON.parse(column) as string[])
}

function exceptColumn(except: readonly string[]): string | null {
  return except.length === 0 ? null : JSON.stringify(except)
}

function exceptOf(column: string | null): readonly string[] {
  return column === null ? [] : (JSON.parse(column) as string[])
}

function entryOf({ id, kind, name, contents, topics, excluded, generation }: EntryRow): Entry {
  switch (kind) {
    case 'message': {
      const addresses = { topics: topicsOf(topics), except: exceptOf(excluded) }
      return { kind, id, ...addresses, name: name!, contents: contents! }
    }
    case 'initialise':
      return { kind, id, publicToken: name! }
    case 'update': {
      const groups = JSON.parse(topics!) as string[]
      return { kind, id, generation: generation!, client: publicPart(contents), groups }
    }
    case 'join':
    case 'leave':
      return { kind, id, generation: generation!, client: publicPart(contents), group: name! }
    case 'remove':
      return { kind, id, publicToken: name!, generation: generation! }
    case 'stop':
      return { kind, id, topics: topicsOf(topics), except: exceptOf(excluded) }
  }
}

function publicPart(column: string | null): PublicCometClient {
  return JSON.parse(column!) as PublicCometClient
}
