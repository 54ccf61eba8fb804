import { type CometClient, publicPartOf } from '../../lib/comet-client.ts'
import type { AudienceRows } from './audience-rows.ts'
import type { ClaimRows } from './claim-rows.ts'
import { type ClientRow, type ClientRows, clientOf } from './client-rows.ts'
import type { EntryAppender } from './entry-rows.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** The tables that know of clients. */
export interface ClientTables {
  readonly log: EntryAppender
  readonly clients: ClientRows
  readonly audience: AudienceRows
  readonly claims: ClaimRows
}

/** Ends all that the file knows of a client, with its leave entries. The client as it was. */
export function removeClient(
  row: ClientRow,
  transaction: WriteTransaction,
  tables: ClientTables,
): CometClient {
  const { log, clients, audience, claims } = tables
  const { channel } = transaction
  const { generation } = row
  const client = clientOf(row)
  const known = Object.freeze(publicPartOf(client))
  for (const group of client.groups) {
    audience.leave(group, generation)
    log.add(transaction, (id) => ({ kind: 'leave', id, generation, client: known, group }))
  }
  claims.forgetClient(generation, channel)
  clients.delete(generation)
  channel.clients -= 1
  return client
}
