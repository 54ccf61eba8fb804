import { afterEach, describe, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import type { LeaseRenewal } from 'koa-comet'
import { initialise, renewal, send } from '../../providers/contract/operations.ts'
import { statementPrototype, watchStatements } from './sqlite-connections.ts'
import { createStore, disposeStores } from './sqlite-store.ts'
import { mostInOneTurn } from './sqlite-turns.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

const COUNTING = 'WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)'

/** Adds as many entries like the one that is in the log. */
function multiplyEntries(app: Database.Database, count: number): void {
  const columns = 'kind, stored_at, bytes, name, contents, topics, excluded, generation'
  app
    .prepare(
      `${COUNTING} INSERT INTO comet_1_entries SELECT id + n, ${columns} FROM numbers, comet_1_entries`,
    )
    .run(count)
  app.prepare('UPDATE comet_channels SET head = head + @count, entries = entries + @count').run({ count })
}

/** Adds as many clients like the one that is there. */
function multiplyClients(app: Database.Database, count: number): void {
  const record = "json_set(record, '$.publicToken', 'client-' || n, '$.generation', generation + n)"
  const columns = 'memberships, last_seen_at, expires_at'
  app
    .prepare(
      `${COUNTING} INSERT INTO comet_1_clients (generation, public_token, private_hash, record, ${columns})
       SELECT generation + n, 'client-' || n, 'hash-' || n, ${record}, ${columns} FROM numbers, comet_1_clients`,
    )
    .run(count)
  app.prepare('UPDATE comet_channels SET head = head + @count, clients = clients + @count').run({ count })
}

describe('However much a file has', () => {
  test('a log of 100,000 entries is read in many turns', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    await node.append(send())
    await node.provider.close()
    multiplyEntries(store.connect(), 99_999)
    const rows = watchStatements()
    const later = store.node()
    const open = () =>
      later.provider.open('chat', later.listener, { seconds: 3600, messages: 1e6, bytes: 1e9 })
    expect(await mostInOneTurn(rows, open)).toBeLessThan(3000)
    expect(later.listener.log.entries).toHaveLength(100_000)
    expect(rows()).toBeGreaterThan(100_000)
  })

  test('50,000 clients are listed in many turns, each once, while others come and go', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    await node.append(initialise('first'))
    multiplyClients(store.connect(), 49_999)
    let listed: string[] = []
    const most = await mostInOneTurn(
      () => listed.length,
      async () => {
        for await (const { publicToken } of node.provider.getClients()) {
          listed.push(publicToken)
          if (listed.length === 10_000) await node.append(initialise('late', { maxClients: 100_000 }))
        }
      },
    )
    expect(most).toBeLessThan(1000)
    listed = listed.filter((token) => token !== 'late')
    expect(new Set(listed).size).toBe(50_000)
    expect(listed).toHaveLength(50_000)
  })

  test('4,000 leases are renewed in many turns, and answered in order', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    await node.append(initialise('first'))
    multiplyClients(store.connect(), 3999)
    const renewals: LeaseRenewal[] = []
    for await (const client of node.provider.getClients()) renewals.push(renewal(client))
    renewals.splice(2000, 0, renewal({ publicToken: 'nobody', generation: 1 }))
    const rows = watchStatements()
    let outcomes: string[] = []
    const most = await mostInOneTurn(rows, async () => {
      outcomes = await node.provider.renewLeases(renewals)
    })
    expect(most).toBeLessThan(1000)
    expect(outcomes).toHaveLength(4001)
    expect(outcomes.indexOf('gone')).toBe(2000)
    expect(outcomes.filter((outcome) => outcome === 'kept')).toHaveLength(4000)
  })

  test('2,000 clients that run out are removed in many turns', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    await node.append(initialise('first'))
    const app = store.connect()
    multiplyClients(app, 1999)
    app.exec('UPDATE comet_1_clients SET expires_at = 0')
    const rows = watchStatements()
    let removed: string[] = []
    const most = await mostInOneTurn(rows, async () => {
      removed = await node.sweep()
    })
    expect(most).toBeLessThan(1000)
    expect(removed).toHaveLength(2000)
  })
})

describe('When a read finds another connection in the way', () => {
  test('a list of clients is whole all the same', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(initialise('first'))
    multiplyClients(store.connect(), 999)
    const statement = statementPrototype()
    const { all } = statement
    let calls = 0
    jest.spyOn(statement, 'all').mockImplementation(function (this: object, ...parameters) {
      calls += 1
      // So it is while another process recovers the -wal of one that died.
      if (calls % 2 === 1) throw new Database.SqliteError('database is locked', 'SQLITE_BUSY_RECOVERY')
      return all.apply(this, parameters)
    })
    expect(await node.listed()).toHaveLength(1000)
    expect(calls).toBeGreaterThan(10)
  })
})
