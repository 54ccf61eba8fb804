import { renameSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { send } from '../../providers/contract/operations.ts'
import { eventually } from '../support/eventually.ts'
import { connectApp, sendAlone, sendWithin } from './sqlite-app.ts'
import { watchGets } from './sqlite-gets.ts'
import { createStore, disposeStores } from './sqlite-store.ts'
import { passTurns } from './sqlite-turns.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

const BRIEF = { retention: { seconds: 5 } }

describe('Messages in a transaction that stays open', () => {
  test('are not asked after one by one, and settle at its commit, each asked after once', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN IMMEDIATE')
    const sent = Array.from({ length: 500 }, (_, index) => sendWithin(node, app, send(`${index}`)))
    const gets = watchGets()
    await passTurns(50)
    expect(gets()).toBeLessThan(500)
    app.exec('COMMIT')
    const ids = (await Promise.all(sent)).map(({ id }) => id)
    expect(gets()).toBeLessThan(1000)
    expect((await node.told()).map(({ id }) => id)).toEqual(ids)
  })

  test('for longer than the retention are sent all the same, also if the store is swept before they are asked after', async () => {
    const store = createStore()
    const [slow, other] = [await store.open({ ...BRIEF, followMs: 60_000 }), await store.open(BRIEF)]
    const app = connectApp(store)
    app.exec('BEGIN IMMEDIATE')
    const sent = sendWithin(slow, app, send())
    // It is looked once whether the transaction has ended; the next look is a minute away.
    await passTurns(2)
    store.nowMs += 8000
    app.exec('COMMIT')
    for (let sweep = 0; sweep < 3; sweep += 1) {
      await other.sweep()
      store.nowMs += 8000
    }
    const [first, second] = await Promise.all([sent, sendAlone(slow, app, send())])
    expect(second.id).toBe(first.id + 1)
  })

  test('repeat a key that is forgotten in the meantime', async () => {
    const store = createStore()
    const node = await store.open(BRIEF)
    const keyed = send('Paid', { key: 'order 17' })
    const [first] = await node.append(keyed)
    store.nowMs += 4000
    const app = connectApp(store)
    app.exec('BEGIN')
    const again = sendWithin(node, app, keyed)
    store.nowMs += 4000
    const swept = node.sweep()
    await passTurns(2)
    app.exec('COMMIT')
    await swept
    expect(await again).toEqual(first)
  })

  test('are told to be of unknown fate when the file is lost, and come with it when it is back', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN IMMEDIATE')
    const sent = sendWithin(node, app, send('Perhaps'))
    renameSync(store.file, `${store.file}-away`)
    await expect(sent).rejects.toMatchObject({
      code: 'COMET_PROVIDER_IS_UNAVAILABLE',
      message: expect.stringContaining('unknown') as unknown,
    })
    app.exec('COMMIT')
    renameSync(`${store.file}-away`, store.file)
    await eventually(() => node.listener.isAvailable && node.listener.told.length === 1)
  })
})

describe('A message in a transaction', () => {
  test('whose key is used again after its time is sent, and so is the second', async () => {
    const store = createStore()
    const node = await store.open(BRIEF)
    const app = connectApp(store)
    const keyed = send('Paid', { key: 'order 17' })
    const first = sendAlone(node, app, keyed)
    store.nowMs += 6000
    const second = sendAlone(node, app, keyed)
    const ids = (await Promise.all([first, second])).map(({ id }) => id)
    expect(ids).toEqual([ids[0], ids[0]! + 1])
  })

  test('that is rolled back is asked after without a read in the next one', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN')
    const sent = sendWithin(node, app, send())
    app.exec('ROLLBACK')
    app.exec('BEGIN')
    await expect(sent).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
    await node.append(send())
    // With a read before that append, SQLite would refuse it.
    app.exec('CREATE TABLE orders (id)')
    app.exec('COMMIT')
  })

  test('without a key takes no room of the keys, and leaves nothing behind for long', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    for (let round = 0; round < 5; round += 1) await sendAlone(node, app, send())
    const count = (table: string) => app.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
    expect([count('comet_1_keys'), count('comet_1_marks')]).toEqual([0, 5])
    for (let passed = 0; passed < 620; passed += 10) {
      store.nowMs += 10_000
      await node.sweep()
    }
    expect([count('comet_1_marks'), count('comet_1_entries')]).toEqual([0, 5])
  })

  test('is refused at once when the file was replaced', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    renameSync(store.file, `${store.file}-away`)
    writeFileSync(store.file, '')
    app.exec('BEGIN')
    expect(() => sendWithin(node, app, send())).toThrow(/was replaced/)
    app.exec('ROLLBACK')
    renameSync(`${store.file}-away`, store.file)
    await eventually(() => node.listener.isAvailable)
    expect(await node.told()).toEqual([])
  })

  test('is refused with what to do when another connection writes', async () => {
    const store = createStore()
    const node = await store.open()
    const [app, rival] = [connectApp(store), connectApp(store)]
    rival.exec('BEGIN IMMEDIATE')
    app.exec('BEGIN')
    expect(() => sendWithin(node, app, send())).toThrow(
      expect.objectContaining({
        code: 'COMET_PROVIDER_IS_UNAVAILABLE',
        message: expect.stringContaining('BEGIN IMMEDIATE'),
      }) as unknown as Error,
    )
    for (const connection of [app, rival]) connection.exec('ROLLBACK')
    await sendAlone(node, app, send())
  })

  test('that fails halfway is not in it, though the app commits the rest', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec(`CREATE TRIGGER no_keys BEFORE INSERT ON comet_1_keys BEGIN SELECT RAISE(ABORT, 'no keys'); END`)
    app.exec('BEGIN; CREATE TABLE orders (id)')
    expect(() => sendWithin(node, app, send('Paid', { key: 'k' }))).toThrow(
      expect.objectContaining({
        code: 'COMET_PROVIDER_IS_UNAVAILABLE',
        message: expect.stringMatching(/app\.db: no keys \(SQLITE_CONSTRAINT_TRIGGER\)\. Roll back\./),
      }) as unknown as Error,
    )
    const other = sendWithin(node, app, send('Shipped'))
    app.exec('COMMIT; DROP TRIGGER no_keys')
    const { id } = await other
    expect(await node.appendOne(send('Paid', { key: 'k' }))).toBe(id + 1)
    expect((await node.told()).map((entry) => entry.id)).toEqual([id, id + 1])
  })

  test('may be in one of a connection by a relative name, wherever the process has gone since', async () => {
    const store = createStore()
    const node = await store.open()
    const home = process.cwd()
    try {
      process.chdir(store.folder)
      const app = connectApp(store, 'app.db')
      process.chdir('/')
      const { id } = await sendAlone(node, app, send())
      expect(node.listener.head).toBe(id)
    } finally {
      process.chdir(home)
    }
  })
})
