import Database from 'better-sqlite3'
import { serveTasks } from './child-process.ts'
import { costOf, type Round, type RoundCost, withFile } from './commit-round.ts'

/** The yardstick: better-sqlite3 alone, which inserts the rows of a channel's log in a loop. */

/** As the provider has it. */
const TABLE = `
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    storedAt INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    name TEXT,
    contents TEXT,
    topics TEXT,
    excluded TEXT,
    generation INTEGER
  ) STRICT`

type Insert = (id: number, contents: string) => void

/** As better-sqlite3's own documentation shows it: a row is an object. */
function byName(database: Database.Database): Insert {
  const insert = database.prepare(
    'INSERT INTO entries VALUES (@id, @kind, @storedAt, @bytes, @name, @contents, @topics, @excluded, @generation)',
  )
  return (id, contents) => {
    insert.run({
      id,
      kind: 'message',
      storedAt: Date.now(),
      bytes: contents.length,
      name: 'Bench',
      contents,
      topics: null,
      excluded: null,
      generation: null,
    })
  }
}

/** The fastest that we know. */
function byPosition(database: Database.Database): Insert {
  const insert = database.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  return (id, contents) => {
    insert.run(id, 'message', Date.now(), contents.length, 'Bench', contents, null, null, null)
  }
}

function store(
  insertInto: (database: Database.Database) => Insert,
  { publishers, messages, text }: Round,
): Promise<RoundCost> {
  return withFile(async (file) => {
    const database = new Database(file)
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.exec(TABLE)
    const insert = insertInto(database)
    // As large as the provider's.
    let id = Date.now() * 1000
    const insertAll = database.transaction(() => {
      for (let count = 0; count < publishers; count++) insert(++id, JSON.stringify(text))
    })
    const cost = await costOf(messages, () => {
      for (let stored = 0; stored < messages; stored += publishers) insertAll.immediate()
    })
    database.close()
    return cost
  })
}

const tasks = {
  byName: (round: Round) => store(byName, round),
  byPosition: (round: Round) => store(byPosition, round),
}

export type BareCommitsTasks = typeof tasks

serveTasks(tasks)
