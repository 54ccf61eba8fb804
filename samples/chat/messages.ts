import Database from 'better-sqlite3'

/** A message of the chat, as pages are told it. */
export interface Message {
  /** Numbers messages in the order in which they are sent. */
  readonly id: number
  readonly publicToken: string
  readonly name: string
  readonly text: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export type NewMessage = Omit<Message, 'id'>

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
    at INTEGER NOT NULL
  ) STRICT`

/** What was said: a table of the app's own, beside those of the channel. */
export class Messages {
  readonly #database: Database.Database
  readonly #insert: Database.Statement<[NewMessage & { readonly key: string }], number>
  readonly #recent: Database.Statement<[], Message>
  readonly #deleteOld: Database.Statement<[]>

  /** @param fileName the channel's file, or `':memory:'` */
  constructor(fileName: string) {
    this.#database = new Database(fileName)
    // As durable as the channel: it sends within no other transactions.
    this.#database.pragma('synchronous = FULL')
    this.#database.exec(TABLE)
    this.#insert = this.#database
      .prepare<[NewMessage & { readonly key: string }], number>(
        // By the clock, so that ids grow on even where all that was said is lost: pages may show it still.
        `INSERT INTO chat_messages (id, key, publicToken, name, text, at)
         VALUES (max(@at, (SELECT coalesce(max(id), 0) + 1 FROM chat_messages)), @key, @publicToken, @name, @text, @at)
         ON CONFLICT (key) DO UPDATE SET key = key RETURNING id`,
      )
      .pluck()
    this.#recent = this.#database.prepare(
      `SELECT id, publicToken, name, text, at FROM
        (SELECT * FROM chat_messages ORDER BY id DESC LIMIT ${RECENT}) ORDER BY id`,
    )
    this.#deleteOld = this.#database.prepare(
      `DELETE FROM chat_messages WHERE id <= (SELECT id FROM chat_messages ORDER BY id DESC LIMIT 1 OFFSET ${KEPT})`,
    )
  }

  /**
   * Keeps a message and has it sent, both or neither: what `send` throws rolls back.
   *
   * @param key names the message: one that is known already keeps its id
   * @param send is given the transaction that it may send in
   */
  add(
    message: NewMessage,
    key: string,
    send: (message: Message, transaction: Database.Database) => void,
  ): void {
    const add = this.#database.transaction(() => {
      const id = this.#insert.get({ ...message, key })!
      this.#deleteOld.run()
      send({ id, ...message }, this.#database)
    })
    add.immediate()
  }

  recent(): Message[] {
    return this.#recent.all()
  }

  close(): void {
    this.#database.close()
  }
}
