import type { Database } from 'better-sqlite3'

/**
 * The version of the tables, kept in a row of ours: the pragmas `user_version` and `application_id` are the app's,
 * whose database the file may be.
 */
export const SCHEMA_VERSION = 1

/** The tables of a file that its channels share. */
const SHARED_TABLES = ['comet_schema', 'comet_channels']

const FILE = `
  CREATE TABLE IF NOT EXISTS main.comet_schema (version INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS main.comet_channels (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    head INTEGER NOT NULL,
    trimmed_through INTEGER NOT NULL,
    entries INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    clients INTEGER NOT NULL DEFAULT 0,
    stops INTEGER NOT NULL DEFAULT 0,
    reply_bytes INTEGER NOT NULL DEFAULT 0,
    swept_at INTEGER NOT NULL,
    unswept INTEGER NOT NULL DEFAULT 0,
    is_clean INTEGER NOT NULL DEFAULT 1
  ) STRICT;`

/** A text, and the id of the entry that it came with. */
const REMEMBERED = `
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    id INTEGER NOT NULL,
    until INTEGER NOT NULL`

/** A channel's own tables: one for all channels would have to be searched through by each. */
const channelTables = (tables: Tables): string => `
  CREATE TABLE ${tables.entries} (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    name TEXT,
    contents TEXT,
    topics TEXT, -- NULL: everybody
    excluded TEXT,
    generation INTEGER
  ) STRICT;
  CREATE TABLE ${tables.clients} (
    generation INTEGER PRIMARY KEY,
    public_token TEXT NOT NULL UNIQUE,
    private_hash TEXT NOT NULL UNIQUE,
    user_id TEXT,
    session_id TEXT,
    record TEXT NOT NULL,
    memberships TEXT, -- NULL: none
    lost_through INTEGER,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    goodbye INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    acknowledged_epoch TEXT,
    acknowledged_id INTEGER
  ) STRICT;
  CREATE INDEX ${tables.leases} (expires_at);
  CREATE INDEX ${tables.users} (user_id) WHERE user_id IS NOT NULL;
  CREATE INDEX ${tables.sessions} (session_id) WHERE session_id IS NOT NULL;
  CREATE TABLE ${tables.members} (
    group_name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    PRIMARY KEY (group_name, generation)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ${tables.claims} (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    run TEXT NOT NULL,
    runs_until INTEGER NOT NULL,
    until INTEGER NOT NULL,
    is_settled INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0, -- 0: without a reply
    reply TEXT,
    UNIQUE (generation, key)
  ) STRICT;
  CREATE INDEX ${tables.replies} (number) WHERE bytes > 0;
  CREATE TABLE ${tables.stops} (
    id INTEGER PRIMARY KEY,
    topics TEXT NOT NULL,
    excluded TEXT NOT NULL,
    topic INTEGER NOT NULL,
    after INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE ${tables.aside} (
    number INTEGER PRIMARY KEY,
    stop INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE ${tables.keys} (${REMEMBERED}) STRICT;
  CREATE TABLE ${tables.stopped} (${REMEMBERED}) STRICT;
  CREATE TABLE ${tables.marks} (
    number INTEGER PRIMARY KEY,
    mark TEXT NOT NULL UNIQUE,
    marked_at INTEGER NOT NULL
  ) STRICT;`

/** How the tables of one channel are called. By its number: names of tables know no upper and lower case. */
export interface Tables {
  readonly entries: string
  readonly clients: string
  readonly leases: string
  readonly users: string
  readonly sessions: string
  /** One for each membership that goes on. */
  readonly members: string
  readonly claims: string
  readonly replies: string
  /** Stops that are carried out at present, or were cut off: normally none. */
  readonly stops: string
  /** Whom such a stop hit and somebody else removed, until whoever carries it out names them. */
  readonly aside: string
  readonly keys: string
  readonly stopped: string
  /** One for each message that was sent within a transaction of the app, for some minutes. */
  readonly marks: string
}

export function tablesOf(channel: number): Tables {
  // `main.`: an app may have a temporary table of the same name on its own connection.
  const table = (name: string): string => `main.comet_${channel}_${name}`
  const index = (name: string, of: string): string => `${table(name)} ON comet_${channel}_${of}`
  return {
    entries: table('entries'),
    clients: table('clients'),
    leases: index('leases', 'clients'),
    users: index('users', 'clients'),
    sessions: index('sessions', 'clients'),
    members: table('members'),
    claims: table('claims'),
    replies: index('replies', 'claims'),
    stops: table('stops'),
    aside: table('aside'),
    keys: table('keys'),
    stopped: table('stopped'),
    marks: table('marks'),
  }
}

/** Creates or migrates what the file lacks, within the caller's transaction. Throws if the file is of a newer version. */
export function prepareSchema(database: Database): void {
  checkNames(database)
  database.exec(FILE)
  const version = database.prepare('SELECT max(version) FROM main.comet_schema').pluck().get() as
    | number
    | null
  if (version !== null && version > SCHEMA_VERSION) {
    throw new Error(
      `The file has tables of version ${version}; this koa-comet knows up to ${SCHEMA_VERSION}. Use a newer one.`,
    )
  }
  // Also where nothing is new: only a write finds out that the file is read-only.
  database.exec('DELETE FROM main.comet_schema')
  database.prepare('INSERT INTO main.comet_schema VALUES (?)').run(SCHEMA_VERSION)
}

/** Ours come together: one alone is the app's own. */
function checkNames(database: Database): void {
  const present = database
    .prepare(`SELECT name FROM main.sqlite_schema WHERE lower(name) IN ('${SHARED_TABLES.join("', '")}')`)
    .pluck()
    .all()
  if (present.length % SHARED_TABLES.length === 0) return
  throw new Error(
    `The file has a table ${present.join()} that koa-comet did not make, and needs a table of this name itself. ` +
      'Rename it, or give the channel a file of its own.',
  )
}

/** The number of the channel of this name, which begins now if there is none. Within the caller's transaction. */
export function channelNumber(
  database: Database,
  name: string,
  fresh: { readonly epoch: string; readonly head: number; readonly sweptAt: number },
): number {
  const known = database.prepare('SELECT number FROM main.comet_channels WHERE name = ?').pluck().get(name)
  if (known !== undefined) return known as number
  const { lastInsertRowid } = database
    .prepare(
      `INSERT INTO main.comet_channels (name, epoch, head, trimmed_through, swept_at)
       VALUES (@name, @epoch, @head, @head, @sweptAt)`,
    )
    .run({ name, ...fresh })
  const number = Number(lastInsertRowid)
  database.exec(channelTables(tablesOf(number)))
  return number
}
