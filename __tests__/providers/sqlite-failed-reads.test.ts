import { afterEach, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { send } from '../../providers/contract/operations.ts'
import { eventually } from '../support/eventually.ts'
import { failOnce } from './sqlite-gets.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

test('A read that fails when a node begins anew loses nothing of what it writes next', async () => {
  const store = createStore()
  const retention = { seconds: 5 }
  const node = await store.open({ retention, followMs: 60_000 })
  const other = await store.open({ retention })
  // The node has not seen this, and never will: it has to begin anew.
  await other.append(send('Forgotten'))
  store.nowMs += 6000
  await other.sweep()
  failOnce('iterate', 'comet_1_entries WHERE id >', new Database.SqliteError('disk', 'SQLITE_IOERR_READ'))
  await expect(node.told()).rejects.toThrow('the disk failed')
  const id = await node.appendOne(send('Precious'))
  expect((await node.told()).map((entry) => entry.id)).toEqual([id])
  expect(node.listener.log.trimmedThrough).toBe(id - 1)
  expect(node.listener.isAvailable).toBe(true)
  node.listener.assertSound()
})

test('A look for news that finds another connection in the way is no trouble, and is repeated', async () => {
  const store = createStore()
  const [node, other] = [await store.open({ followMs: 1 }), await store.open({ followMs: 60_000 })]
  const { calls } = node.listener
  const busy = new Database.SqliteError('database is locked', 'SQLITE_BUSY_RECOVERY')
  const looks = failOnce('get', 'PRAGMA data_version', busy)
  await eventually(() => looks() >= 3)
  expect([node.listener.isAvailable, node.listener.calls]).toEqual([true, calls])
  const id = await other.appendOne(send())
  await eventually(() => node.listener.head === id)
})
