import { afterEach, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

/** The statements that a node prepares, by their texts. */
async function statementsOf(open: () => Promise<unknown>): Promise<string[]> {
  const sources = new Set<string>()
  const { prepare } = Database.prototype
  jest.spyOn(Database.prototype, 'prepare').mockImplementation(function (this: Database.Database, source) {
    sources.add(source)
    return prepare.call(this, source)
  } as typeof prepare)
  await open()
  jest.restoreAllMocks()
  return [...sources]
}

/** How SQLite carries a statement out. */
function planOf(app: Database.Database, source: string): string[] {
  const explain = `EXPLAIN QUERY PLAN ${source.replaceAll(/\?|@\w+/g, '1')}`
  return app
    .prepare<[], { detail: string }>(explain)
    .all()
    .map(({ detail }) => detail)
}

test('Nothing that is asked of clients, members or claims looks through a whole table', async () => {
  const store = createStore()
  const sources = await statementsOf(() => store.open())
  const app = store.connect()
  const ours = sources.filter((source) => /comet_1_(clients|members|claims)/.test(source))
  expect(ours.length).toBeGreaterThan(20)
  const scanning = ours.filter((source) => planOf(app, source).some((step) => step.startsWith('SCAN main.')))
  // In the order of the table, and only so far.
  expect(scanning.filter((source) => !/ORDER BY number LIMIT \d+/.test(source))).toEqual([])
  expect(planOf(app, 'SELECT * FROM main.comet_1_clients')).toEqual(['SCAN main.comet_1_clients'])
})
