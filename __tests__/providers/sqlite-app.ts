import type Database from 'better-sqlite3'
import type { Done, SendOperation } from 'koa-comet'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import type { SqliteStore } from './sqlite-store.ts'

/** The app's part: connections of its own, and messages in their transactions. */

/** A connection of the app that may send. */
export function connectApp(store: SqliteStore, file = store.file): Database.Database {
  const app = store.connect(file)
  app.pragma('synchronous = FULL')
  return app
}

export function sendWithin(
  { provider }: ProviderNode,
  app: Database.Database,
  operation: SendOperation,
): Promise<Done> {
  const sent = provider.sendWithin!(app, operation)
  // A test that fails before it waits for this is to say why.
  sent.catch(() => {})
  return sent
}

/** Sends it in a transaction of its own. */
export function sendAlone(
  node: ProviderNode,
  app: Database.Database,
  operation: SendOperation,
): Promise<Done> {
  app.exec('BEGIN IMMEDIATE')
  const sent = sendWithin(node, app, operation)
  app.exec('COMMIT')
  return sent
}
