import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type Database from 'better-sqlite3'
import { send } from '../../providers/contract/operations.ts'
import { connectApp, sendAlone, sendWithin } from './sqlite-app.ts'
import { watchGets } from './sqlite-gets.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'
import { mostInOneTurn, passTurns } from './sqlite-turns.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

/** Another connection that writes to the file. */
function lock(store: SqliteStore): Database.Database {
  const rival = store.connect()
  rival.exec('BEGIN IMMEDIATE')
  return rival
}

describe('A message whose transaction has ended, while another connection writes,', () => {
  test('settles at once if it was committed', async () => {
    const store = createStore()
    const node = await store.open()
    const sent = sendAlone(node, connectApp(store), send('Paid'))
    const rival = lock(store)
    const { id } = await sent
    expect(node.listener.told.map((entry) => entry.id)).toEqual([id])
    rival.exec('ROLLBACK')
  })

  test('settles at once if it was committed, also when its node closes', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    const sent = sendAlone(node, app, send('Paid'))
    lock(store)
    await node.provider.close()
    const stored = app.prepare('SELECT id FROM comet_1_entries').pluck().get()
    expect(await sent).toHaveProperty('id', stored)
  })

  test('settles if it was committed while its node closes', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN')
    const sent = sendWithin(node, app, send('Paid'))
    const closed = node.provider.close()
    await passTurns(5)
    app.exec('COMMIT')
    const rival = lock(store)
    expect(await sent).toHaveProperty('id')
    rival.exec('ROLLBACK')
    await closed
  })

  test('is told to be rolled back by a node that closes, as soon as the other lets go', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN')
    const sent = sendWithin(node, app, send('Paid'))
    app.exec('ROLLBACK')
    const rival = lock(store)
    const closed = node.provider.close()
    await passTurns(5)
    rival.exec('ROLLBACK')
    await expect(sent).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
    await closed
  })

  test('is told to be rolled back after the others that were committed, once the other lets go', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN')
    const kept = sendWithin(node, app, send('Kept'))
    app.exec('SAVEPOINT inner')
    const dropped = sendWithin(node, app, send('Dropped'))
    app.exec('ROLLBACK TO inner')
    app.exec('COMMIT')
    const rival = lock(store)
    let isSettled = false
    const settled = dropped
      .catch((error: unknown) => error)
      .finally(() => {
        isSettled = true
      })
    await kept
    expect(isSettled).toBe(false)
    rival.exec('ROLLBACK')
    expect(await settled).toMatchObject({ code: 'COMET_ROLLED_BACK' })
  })
})

describe('However many messages a transaction had,', () => {
  test.each([
    ['COMMIT', 'fulfilled'],
    ['ROLLBACK', 'rejected'],
  ])('they settle a thousand in a turn after %s', async (end, status) => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN')
    const sent = Array.from({ length: 3500 }, (_, index) => sendWithin(node, app, send(`${index}`)))
    app.exec(end)
    const gets = watchGets()
    const settle = () => Promise.allSettled(sent)
    expect(await mostInOneTurn(gets, settle)).toBeLessThan(1100)
    expect(gets()).toBeGreaterThanOrEqual(3500)
    expect((await settle()).filter((each) => each.status === status)).toHaveLength(3500)
  })
})

describe('A message that is asked after late', () => {
  test('is told to be rolled back however long its transaction took', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    app.exec('BEGIN')
    const sent = sendWithin(node, app, send())
    const minutes = 20 * 60_000
    store.nowMs += minutes
    const now = performance.now.bind(performance)
    jest.spyOn(performance, 'now').mockImplementation(() => now() + minutes)
    app.exec('ROLLBACK')
    await expect(sent).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
  })

  test('is of unknown fate once others have swept for more than ten minutes', async () => {
    const store = createStore()
    const [slow, other] = [await store.open({ followMs: 60_000 }), await store.open()]
    const app = connectApp(store)
    app.exec('BEGIN IMMEDIATE')
    const sent = sendWithin(slow, app, send('Committed'))
    // It is looked once whether the transaction has ended; the next look is a minute away.
    await passTurns(2)
    app.exec('COMMIT')
    for (let passed = 0; passed < 620; passed += 10) {
      store.nowMs += 10_000
      await other.sweep()
    }
    await sendAlone(slow, app, send())
    await expect(sent).rejects.toMatchObject({ code: 'COMET_PROVIDER_IS_UNAVAILABLE' })
  })
})
