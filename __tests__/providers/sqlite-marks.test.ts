import { closeSync, openSync, writeSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(disposeStores)

const PAGE_BYTES = 4096

/** Whoever reads these pages finds the file damaged. */
function damage(file: string, pages: readonly number[]): void {
  const descriptor = openSync(file, 'r+')
  for (const page of pages) {
    writeSync(descriptor, Buffer.alloc(PAGE_BYTES, 0xff), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES)
  }
  closeSync(descriptor)
}

describe('A sweep', () => {
  test('deletes the old marks of transactions, and looks at none of the many newer ones', async () => {
    const store = createStore()
    await store.open()
    const app = store.connect()
    app
      .prepare(
        `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50000)
         INSERT INTO comet_1_marks (mark, marked_at) SELECT printf('%08d', n), iif(n <= 10, 0, ?) FROM numbers`,
      )
      .run(store.nowMs)
    const leaves = app
      .prepare<[], number>(
        "SELECT pageno FROM dbstat WHERE name = 'comet_1_marks' AND pagetype = 'leaf' ORDER BY path",
      )
      .pluck()
      .all()
    expect(leaves.length).toBeGreaterThan(200)
    await store.closeAll()
    damage(store.file, leaves.slice(100))
    const node = await store.open()
    await node.sweep()
    const later = store.connect()
    expect(() => later.prepare('SELECT max(marked_at) FROM comet_1_marks').get()).toThrow(/malformed/)
    const oldest = later.prepare('SELECT mark FROM comet_1_marks ORDER BY number LIMIT 1').pluck()
    expect(oldest.get()).toBe('00000011')
  })
})
