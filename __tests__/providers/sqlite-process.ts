import Database from 'better-sqlite3'
import type { CometClient, ICometStateProvider, ProviderListener } from '../../lib/index.ts'
import { SqliteCometStateProvider } from '../../providers/sqlite/index.ts'
import { answer, given, tell } from './sqlite-child.ts'

/** The program of a process that has a provider of its own, and does with it what its parent asks for. */

const { file, aheadMs, ...options } = given<{ file: string; aheadMs: number }>()
const provider: ICometStateProvider = new SqliteCometStateProvider(file, {
  ...options,
  now: () => Date.now() + aheadMs,
})
let rival: Database.Database | undefined
let locksAfterStop = false

const listener: ProviderListener = {
  reset: (log) => tell({ heard: 'reset', value: log }),
  entries: (entries) => {
    if (locksAfterStop && entries.some(({ kind }) => kind === 'stop')) lock()
    tell({ heard: 'entries', value: entries })
  },
  unavailable: (error) => tell({ heard: 'unavailable', value: String(error) }),
  available: () => tell({ heard: 'available' }),
}

answer({
  open: (name: string, retention: never) => provider.open(name, listener, retention),
  catchUp: () => provider.catchUp(),
  close: () => provider.close(),
  append: (operations: never) => provider.append(operations),
  getClient: (hash: string) => provider.getClient(hash),
  getClients: (topics: string[] | null) => listed(topics ?? undefined),
  renewLeases: (renewals: never) => provider.renewLeases(renewals),
  removeExpired: () => provider.removeExpired(),
  claim: (claims: never) => provider.claim(claims),
  settle: (replies: never) => provider.settle(replies),
  lock,
  lockAfterStop: () => {
    locksAfterStop = true
  },
  unlock: () => {
    rival?.close()
  },
})

/** By a connection beside the provider's, as an app does that is in a transaction. */
function lock(): void {
  rival = new Database(file)
  rival.exec('BEGIN IMMEDIATE')
}

async function listed(topics?: readonly string[]): Promise<CometClient[]> {
  const clients: CometClient[] = []
  for await (const client of provider.getClients(topics)) clients.push(client)
  return clients
}
