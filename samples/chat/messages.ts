import Database from 'better-sqlite3'

/** A message of the chat, as pages are told it. */
export interface Message {
  /** Numbers messages in the order in which they are sent. */
  readonly id: number
  /** Names the message: given by the page of who wrote it. */
  readonly key: string
  readonly publicToken: string
  readonly name: string
  readonly text: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Where it was said. Null: to one person, or to all rooms. */
  readonly room: string | null
  /** The name of the one person that it is for, if it is. */
  readonly toName: string | null
}

/** With the generations of both clients if it is for one person: a name may be another's later. */
export interface NewMessage extends Omit<Message, 'id'> {
  readonly fromClient: number | null
  readonly toClient: number | null
}

/** What a page shows that comes anew. */
const RECENT = 100
/** More than that, so that a message that is sent again late is known still. */
const KEPT = 1000

const TABLE = `
  CREATE TABLE IF NOT EXISTS chat_messages (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    publicToken TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    room TEXT DEFAULT 'lobby',
    toName TEXT,
    fromClient INTEGER,
    toClient INTEGER
  ) STRICT`

/** For a table of the time when the chat was one room. */
const ROOMS = `
  ALTER TABLE chat_messages ADD COLUMN room TEXT DEFAULT 'lobby';
  ALTER TABLE chat_messages ADD COLUMN toName TEXT;
  ALTER TABLE chat_messages ADD COLUMN fromClient INTEGER;
  ALTER TABLE chat_messages ADD COLUMN toClient INTEGER;`

const HAS_ROOMS = "SELECT count(*) FROM pragma_table_info('chat_messages') WHERE name = 'room'"

// Ids by the clock, so that they grow on even where all that was said is lost: pages may show it still.
const INSERT = `
  INSERT INTO chat_messages (id, key, publicToken, name, text, at, room, toName, fromClient, toClient)
  VALUES (
    max(@at, (SELECT coalesce(max(id), 0) + 1 FROM chat_messages)),
    @publicToken || ' ' || @key, @publicToken, @name, @text, @at, @room, @toName, @fromClient, @toClient
  )
  ON CONFLICT (key) DO UPDATE SET key = key RETURNING id`

const SELECT = `
  SELECT id, substr(key, length(publicToken) + 2) AS key, publicToken, name, text, at, room, toName FROM (
    SELECT * FROM chat_messages
    WHERE room = @room OR @client IN (fromClient, toClient) OR (room IS NULL AND toName IS NULL)
    ORDER BY id DESC LIMIT ${RECENT}
  ) ORDER BY id`

const DELETE_OLD = `
  DELETE FROM chat_messages WHERE id <= (SELECT id FROM chat_messages ORDER BY id DESC LIMIT 1 OFFSET ${KEPT})`

/** What was said: a table of the app's own, beside those of the channel. */
export class Messages {
  readonly #database: Database.Database
  readonly #insert: Database.Statement<[NewMessage], number>
  readonly #recent: Database.Statement<[{ readonly room: string; readonly client: number }], Message>
  readonly #deleteOld: Database.Statement<[]>

  /** @param fileName the channel's file, or `':memory:'` */
  constructor(fileName: string) {
    this.#database = new Database(fileName)
    // As durable as the channel: it sends within no other transactions.
    this.#database.pragma('synchronous = FULL')
    const prepareTable = this.#database.transaction(() => {
      this.#database.exec(TABLE)
      const hasRooms = this.#database.prepare(HAS_ROOMS).pluck().get() === 1
      if (!hasRooms) this.#database.exec(ROOMS)
    })
    prepareTable.immediate()
    this.#insert = this.#database.prepare<[NewMessage], number>(INSERT).pluck()
    this.#recent = this.#database.prepare(SELECT)
    this.#deleteOld = this.#database.prepare(DELETE_OLD)
  }

  /**
   * Keeps a message and has it sent, both or neither: what `send` throws rolls back. One whose key is known already from
   * the same person keeps its id. Resolves when it is sent.
   *
   * @param send is given the transaction that it may send in
   */
  async add(
    { fromClient, toClient, ...told }: NewMessage,
    send: (message: Message, transaction: Database.Database) => Promise<unknown>,
  ): Promise<Message> {
    const add = this.#database.transaction(() => {
      const id = this.#insert.get({ ...told, fromClient, toClient })!
      this.#deleteOld.run()
      const message = { id, ...told }
      return { message, sent: send(message, this.#database) }
    })
    const { message, sent } = add.immediate()
    await sent
    return message
  }

  /**
   * What a client is shown that enters a room: what was said there, to all rooms, and between it and one other.
   *
   * @param client its generation
   */
  recent(room: string, client: number): Message[] {
    return this.#recent.all({ room, client })
  }

  close(): void {
    this.#database.close()
  }
}
