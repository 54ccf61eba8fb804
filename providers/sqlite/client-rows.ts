import type { Database, Statement } from 'better-sqlite3'
import type { CometClient } from '../../lib/comet-client.ts'
import type { ClientRecord } from '../../lib/comet-state-provider.ts'
import { clientOfTopic, EVERYBODY } from '../../lib/topics.ts'
import type { Tables } from './schema.ts'

/** A client as its table has it. `record` is the JSON text of all that never changes. */
export interface ClientRow {
  readonly publicToken: string
  readonly privateHash: string
  readonly generation: number
  readonly record: string
  readonly lastSeenAt: number
  readonly holder: string | null
  readonly acknowledgedEpoch: string | null
  readonly acknowledgedId: number | null
}

/** Where a client row and the position of the log are read in one statement, and so of one moment. */
type FoundRow = ClientRow & { readonly asOf: number }

export const CLIENT_COLUMNS = `
  public_token AS publicToken, private_hash AS privateHash, generation, record, last_seen_at AS lastSeenAt, holder,
  acknowledged_epoch AS acknowledgedEpoch, acknowledged_id AS acknowledgedId`

/** How many clients are listed, and how many of an audience named, at a time. */
const PAGE = 200

/** The clients of a channel. */
export class ClientRows {
  readonly #find: Statement<[number, string], FoundRow>
  readonly #isTaken: Statement<[string, string], 1>
  readonly #insert: Statement<[object]>
  readonly #page: Statement<[number], ClientRow>
  readonly #byPublicToken: Statement<[string], ClientRow>
  readonly #delete: Statement<[number]>

  constructor(database: Database, { clients }: Tables) {
    this.#find = database.prepare(
      `SELECT (SELECT head FROM main.comet_channels WHERE number = ?) AS asOf, ${CLIENT_COLUMNS}
       FROM ${clients} WHERE private_hash = ?`,
    )
    this.#isTaken = database
      .prepare<[string, string], 1>(`SELECT 1 FROM ${clients} WHERE public_token = ? OR private_hash = ?`)
      .pluck()
    this.#insert = database.prepare(
      `INSERT INTO ${clients} (generation, public_token, private_hash, record, last_seen_at, expires_at)
       VALUES (@generation, @publicToken, @privateHash, @record, @lastSeenAt, @expiresAt)`,
    )
    this.#page = database.prepare(
      `SELECT ${CLIENT_COLUMNS} FROM ${clients} WHERE generation > ? ORDER BY generation LIMIT ${PAGE}`,
    )
    this.#byPublicToken = database.prepare(`SELECT ${CLIENT_COLUMNS} FROM ${clients} WHERE public_token = ?`)
    this.#delete = database.prepare(`DELETE FROM ${clients} WHERE generation = ?`)
  }

  /** The client, and the log position that is true at the same moment. */
  find(channel: number, privateHash: string): ClientRecord | undefined {
    const row = this.#find.get(channel, privateHash)
    return row && { ...recordOf(row), asOf: row.asOf }
  }

  /** Whether either token is in use. */
  isTaken(publicToken: string, privateHash: string): boolean {
    return this.#isTaken.get(publicToken, privateHash) === 1
  }

  insert(client: CometClient, privateHash: string, expiresAt: number): void {
    const { lastSeenAt, ...rest } = client
    const { publicToken, generation } = client
    const record = JSON.stringify(rest)
    this.#insert.run({ generation, publicToken, privateHash, record, lastSeenAt, expiresAt })
  }

  byPublicToken(publicToken: string): ClientRow | undefined {
    return this.#byPublicToken.get(publicToken)
  }

  /** Those whom one of the topics addresses, each once. */
  audience(topics: readonly string[]): ClientRow[] {
    if (topics.includes(EVERYBODY)) return [...this.pages()].flat()
    const tokens = new Set(topics.map(clientOfTopic).filter((token) => token !== undefined))
    return [...tokens].map((token) => this.byPublicToken(token)).filter((row) => row !== undefined)
  }

  /** The next of them, by generation. No statement is left open. */
  page(after: number): ClientRow[] {
    return this.#page.all(after)
  }

  /** All of them, in pages. */
  *pages(): Generator<ClientRow[]> {
    for (let page = this.page(0); page.length > 0; page = this.page(page.at(-1)!.generation)) yield page
  }

  delete(generation: number): void {
    this.#delete.run(generation)
  }
}

/** Whether a client exists, by any connection. */
export class ClientLookup {
  readonly #exists: Statement<[string], 1>

  constructor(database: Database, { clients }: Tables) {
    this.#exists = database
      .prepare<[string], 1>(`SELECT 1 FROM ${clients} WHERE public_token = ?`)
      .pluck()
      .safeIntegers(false)
  }

  exists(publicToken: string): boolean {
    return this.#exists.get(publicToken) === 1
  }
}

export function clientOf({ record, lastSeenAt }: ClientRow): CometClient {
  return { ...(JSON.parse(record) as Omit<CometClient, 'lastSeenAt'>), lastSeenAt }
}

function recordOf(row: ClientRow): Omit<ClientRecord, 'asOf'> {
  const { holder, acknowledgedEpoch: epoch, acknowledgedId: messageId } = row
  return {
    client: clientOf(row),
    ...(holder !== null && { holder }),
    ...(epoch !== null && messageId !== null && { acknowledged: { epoch, messageId } }),
  }
}
