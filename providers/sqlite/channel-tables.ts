import type { Database } from 'better-sqlite3'
import { AudienceRows } from './audience-rows.ts'
import { ClaimRows } from './claim-rows.ts'
import { ClientRows } from './client-rows.ts'
import { EntryAppender } from './entry-rows.ts'
import { ExistingClients } from './existing-clients.ts'
import type { OperationTables } from './operations.ts'
import { RememberedRows } from './remembered-rows.ts'
import { tablesOf } from './schema.ts'
import { StopRows } from './stop-rows.ts'

/** What the operations on a channel change, by a connection of our own. */
export function channelTables(database: Database, channel: number): OperationTables {
  const names = tablesOf(channel)
  return {
    log: new EntryAppender(database, names),
    existing: new ExistingClients(database, names),
    clients: new ClientRows(database, names),
    audience: new AudienceRows(database, names),
    claims: new ClaimRows(database, names),
    stops: new StopRows(database, names),
    keys: new RememberedRows(database, names.keys),
    stopped: new RememberedRows(database, names.stopped),
  }
}
