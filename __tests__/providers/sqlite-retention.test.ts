import { statSync } from 'node:fs'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import type { Retention } from 'koa-comet'
import { initialise, send } from '../../providers/contract/operations.ts'
import { watchStatements } from './sqlite-connections.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

const MIB = 1024 * 1024

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

interface Counts {
  entries: number
  bytes: number
}

function countsOf(app: Database.Database): Counts {
  return app
    .prepare<[], Counts>('SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM comet_1_entries')
    .get()!
}

function sends(count: number, bytes = 10) {
  return Array.from({ length: count }, () => send('Chat', { contents: JSON.stringify('x'.repeat(bytes)) }))
}

/** What each commit takes away, as another connection sees it after it. */
function watchSteps(app: Database.Database): Counts[] {
  const steps: Counts[] = []
  let before = countsOf(app)
  const exec = Database.prototype.exec
  jest.spyOn(Database.prototype, 'exec').mockImplementation(function (this: Database.Database, sql) {
    exec.call(this, sql)
    if (sql === 'COMMIT') {
      const after = countsOf(app)
      steps.push({ entries: before.entries - after.entries, bytes: before.bytes - after.bytes })
      before = after
    }
    return this
  })
  return steps
}

/** How many turns of the event loop pass while this happens. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  const done = work().finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise(setImmediate)
    turns += 1
  }
  await done
  return turns
}

describe('What is over the retention is deleted', () => {
  test('in steps of at most 500 entries, with turns for others between them', async () => {
    const store = createStore()
    const retention = { seconds: 60 }
    const node = await store.open({ retention })
    for (let round = 0; round < 3; round += 1) await node.append(...sends(1000))
    const app = store.connect()
    const steps = watchSteps(app)
    // Sweeps that come in time, so that the clock of the store moves.
    let turns = 0
    for (let passed = 0; passed < 70; passed += 10) {
      store.nowMs += 10_000
      turns = Math.max(turns, await turnsOf(() => node.provider.removeExpired()))
    }
    expect(countsOf(app).entries).toBe(0)
    expect(steps.reduce((sum, { entries }) => sum + entries, 0)).toBe(3000)
    expect(Math.max(...steps.map(({ entries }) => entries))).toBe(500)
    expect(turns).toBeGreaterThanOrEqual(6)
  })

  test('in steps of at most 4 MiB and one entry more', async () => {
    const store = createStore()
    const node = await store.open({ retention: { bytes: 40 * MIB } })
    for (let round = 0; round < 6; round += 1) await node.append(...sends(5, MIB))
    await node.provider.close()
    const app = store.connect()
    const steps = watchSteps(app)
    const later = await store.open({ retention: { bytes: MIB } })
    await later.sweep()
    expect(countsOf(app).entries).toBe(1)
    expect(steps.length).toBeGreaterThan(5)
    for (const { bytes } of steps) expect(bytes).toBeLessThanOrEqual(5.1 * MIB)
  })

  test.each<[string, Partial<Retention>, number, number]>([
    ['messages', { messages: 2000 }, 1000, 10],
    ['bytes', { bytes: 2 * MIB }, 150, 40_000],
  ])('by appends alone, however large they are, bounded by %s', async (_, retention, count, bytes) => {
    const store = createStore()
    const node = await store.open({ retention })
    const app = store.connect()
    for (let round = 0; round < 5; round += 1) {
      await node.append(...sends(count, bytes))
      const counts = countsOf(app)
      expect(counts.entries).toBeLessThanOrEqual(retention.messages ?? Number.POSITIVE_INFINITY)
      expect(counts.bytes).toBeLessThanOrEqual(retention.bytes ?? Number.POSITIVE_INFINITY)
    }
    expect(node.listener.fed).toHaveLength(5 * count)
  })

  test('and a small append looks at no more of the log than it deletes', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(...sends(1000))
    const rows = watchStatements()
    await node.append(send())
    expect(rows()).toBeLessThan(10)
  })

  test('with what is remembered: keys and stopped tokens', async () => {
    const store = createStore()
    const node = await store.open({ retention: { seconds: 60 } })
    await node.append(...Array.from({ length: 1200 }, (_, index) => send('Chat', { key: `${index}` })))
    await node.append(initialise('ann'), { kind: 'stop', topics: ['*'], except: [] })
    const app = store.connect()
    const count = (table: string) => app.prepare(`SELECT count(*) FROM comet_1_${table}`).pluck().get()
    expect([count('keys'), count('stopped')]).toEqual([1200, 1])
    for (let passed = 0; passed < 70; passed += 10) {
      store.nowMs += 10_000
      await node.sweep()
    }
    expect([count('keys'), count('stopped')]).toEqual([0, 0])
  })
})

describe('A day of traffic', () => {
  test('leaves the file as large as its first hours made it, and its -wal small', async () => {
    const store = createStore()
    const retention = { seconds: 600, messages: 100_000, bytes: 64 * MIB }
    const node = await store.open({ retention, durability: 'normal' })
    const app = store.connect()
    const sizes: number[] = []
    let seed = 7
    for (let second = 0; second < 24 * 3600; second += 10) {
      store.nowMs += 10_000
      // Of 50 to 850 bytes each, and four times as many around noon.
      seed = (seed * 48_271) % 2_147_483_647
      const count = Math.abs(second - 12 * 3600) < 3600 ? 80 : 20
      const batch = [...sends(count, 50 + (seed % 800)), send('Keyed', { key: `${second}` })]
      if (second % 60 === 0) await node.append(...batch)
      await node.sweep()
      if (second % 3600 === 0) sizes.push(app.pragma('page_count', { simple: true }) as number)
    }
    expect(node.listener.fed.length).toBeGreaterThan(30_000)
    // What noon needs, it keeps; nothing is added after.
    const afterNoon = sizes.slice(14)
    expect(Math.max(...afterNoon) - Math.min(...afterNoon)).toBeLessThan(0.02 * afterNoon[0]!)
    const morning = sizes.slice(2, 10)
    expect(Math.max(...morning) - Math.min(...morning)).toBeLessThan(0.25 * morning[0]!)
    expect(statSync(`${store.file}-wal`).size).toBeLessThan(9 * MIB)
    node.listener.assertSound()
  }, 60_000)
})
