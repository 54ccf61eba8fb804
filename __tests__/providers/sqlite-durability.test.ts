import { afterEach, describe, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { send } from '../../providers/contract/operations.ts'
import { watchConnections } from './sqlite-connections.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

const LEVELS = { full: 2, normal: 1 } as const

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

describe.each(['full', 'normal'] as const)('Durability %s', (durability) => {
  test('is what the connection has from its first write on, whoever opens the file', async () => {
    const connections = watchConnections()
    const store = createStore()
    for (const name of ['new', 'old', 'new']) {
      const node = await store.open({ name, durability })
      await node.append(send())
      await node.sweep()
    }
    const levels = connections(store.file).map((each) => each.pragma('main.synchronous', { simple: true }))
    expect(levels).toEqual(levels.map(() => LEVELS[durability]))
    expect(levels).toHaveLength(3)
    for (const each of connections(store.file))
      expect(each.pragma('journal_mode', { simple: true })).toBe('wal')
  })
})

/** Builds of SQLite exist that keep to what they were compiled with. */
function ignorePragma(pattern: RegExp): void {
  const pragma = Database.prototype.pragma
  jest.spyOn(Database.prototype, 'pragma').mockImplementation(function (
    this: Database.Database,
    source,
    options,
  ) {
    return pattern.test(source) ? undefined : pragma.call(this, source, options)
  })
}

describe('A provider does not open', () => {
  test('if SQLite does not become as durable as it is told, and leaves nothing in the file', async () => {
    ignorePragma(/synchronous = full/)
    const store = createStore()
    await expect(store.open()).rejects.toThrow('SQLite keeps to synchronous = 1, though it was told full')
    await expect(store.open({ durability: 'normal' })).rejects.toThrow('though it was told full')
    expect(store.connect().prepare('SELECT count(*) FROM sqlite_schema').pluck().get()).toBe(0)
    jest.restoreAllMocks()
    await (await store.open()).append(send())
  })

  test('if SQLite does not write ahead', async () => {
    ignorePragma(/journal_mode/)
    const store = createStore()
    await expect(store.open()).rejects.toThrow(/cannot use a write-ahead log here/)
  })
})
