import type { Database, Statement } from 'better-sqlite3'
import type { CometClient } from '../../lib/comet-client.ts'
import type { ClientRecord } from '../../lib/comet-state-provider.ts'
import {
  groupsOf,
  initialMemberships,
  type Membership,
  type MembershipRecord,
} from '../../lib/memberships.ts'
import type { Tables } from './schema.ts'

/** A client as its table has it. `record` is the JSON text of all that has no column of its own. */
export interface ClientRow {
  readonly publicToken: string
  readonly privateHash: string
  readonly generation: number
  readonly userId: string | null
  readonly sessionId: string | null
  readonly record: string
  readonly memberships: string | null
  readonly lostThrough: number | null
  readonly lastSeenAt: number
  readonly holder: string | null
  readonly acknowledgedEpoch: string | null
  readonly acknowledgedId: number | null
}

/** Where a client row and the position of the log are read in one statement, and so of one moment. */
export type FoundRow = ClientRow & {
  readonly asOf: number
  /** How many stops are being carried out: one may have hit this client. */
  readonly stops: number
}

type StoredClient = Omit<CometClient, 'lastSeenAt' | 'groups'>

export const CLIENT_COLUMNS = `
  public_token AS publicToken, private_hash AS privateHash, generation, user_id AS userId, session_id AS sessionId,
  record, memberships, lost_through AS lostThrough, last_seen_at AS lastSeenAt, holder,
  acknowledged_epoch AS acknowledgedEpoch, acknowledged_id AS acknowledgedId`

/** The clients of a channel. */
export class ClientRows {
  readonly #find: Statement<[string, number], FoundRow>
  readonly #byPrivateHash: Statement<[string], 1>
  readonly #insert: Statement<[object]>
  readonly #setRecord: Statement<[string, number]>
  readonly #setMemberships: Statement<[string, number | null, number]>
  readonly #delete: Statement<[number]>

  constructor(database: Database, { clients }: Tables) {
    this.#find = database.prepare(
      `SELECT channel.head AS asOf, channel.stops AS stops, ${CLIENT_COLUMNS}
       FROM ${clients} CROSS JOIN main.comet_channels AS channel WHERE private_hash = ? AND channel.number = ?`,
    )
    this.#byPrivateHash = database
      .prepare<[string], 1>(`SELECT 1 FROM ${clients} WHERE private_hash = ?`)
      .pluck()
    this.#insert = database.prepare(
      `INSERT INTO ${clients} (generation, public_token, private_hash, user_id, session_id, record, memberships,
         last_seen_at, expires_at)
       VALUES (@generation, @publicToken, @privateHash, @userId, @sessionId, @record, @memberships,
         @lastSeenAt, @expiresAt)`,
    )
    this.#setRecord = database.prepare(`UPDATE ${clients} SET record = ? WHERE generation = ?`)
    this.#setMemberships = database.prepare(
      `UPDATE ${clients} SET memberships = ?, lost_through = ? WHERE generation = ?`,
    )
    this.#delete = database.prepare(`DELETE FROM ${clients} WHERE generation = ?`)
  }

  /** The client, and the log position that is true at the same moment. */
  find(channel: number, privateHash: string): FoundRow | undefined {
    return this.#find.get(privateHash, channel)
  }

  hasPrivateHash(privateHash: string): boolean {
    return this.#byPrivateHash.get(privateHash) === 1
  }

  insert(client: CometClient, privateHash: string, expiresAt: number): void {
    const { publicToken, generation, userId = null, sessionId = null, groups, lastSeenAt } = client
    const memberships =
      groups.length === 0 ? null : JSON.stringify(initialMemberships(groups, generation).memberships)
    const record = textOf(client)
    const columns = { generation, publicToken, privateHash, userId, sessionId, record, memberships }
    this.#insert.run({ ...columns, lastSeenAt, expiresAt })
  }

  /** What may change of a client without its memberships. */
  update(client: CometClient): void {
    this.#setRecord.run(textOf(client), client.generation)
  }

  setMemberships(generation: number, { memberships, lostThrough }: MembershipRecord): void {
    this.#setMemberships.run(JSON.stringify(memberships), lostThrough ?? null, generation)
  }

  delete(generation: number): void {
    this.#delete.run(generation)
  }
}

export function clientOf(row: ClientRow): CometClient {
  const { record, lastSeenAt } = row
  return { ...(JSON.parse(record) as StoredClient), groups: groupsOf(membershipsOf(row)), lastSeenAt }
}

export function membershipsOf({ memberships, lostThrough }: ClientRow): MembershipRecord {
  return {
    memberships: memberships === null ? [] : (JSON.parse(memberships) as Membership[]),
    ...(lostThrough !== null && { lostThrough }),
  }
}

export function recordOf(row: FoundRow): ClientRecord {
  const { holder, acknowledgedEpoch: epoch, acknowledgedId: messageId, asOf } = row
  return {
    client: clientOf(row),
    ...membershipsOf(row),
    ...(holder !== null && { holder }),
    ...(epoch !== null && messageId !== null && { acknowledged: { epoch, messageId } }),
    asOf,
  }
}

function textOf({ lastSeenAt: _, groups: __, ...stored }: CometClient): string {
  return JSON.stringify(stored satisfies StoredClient)
}
