import { afterEach, describe, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { CometStateManager } from 'koa-comet'
import { hashOf, initialise, renewal, send } from '../../providers/contract/operations.ts'
import { eventually } from '../support/eventually.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

const channels: CometStateManager[] = []

afterEach(async () => {
  jest.restoreAllMocks()
  for (const channel of channels.splice(0)) await channel.close()
  await disposeStores()
})

/** Takes the file's write lock as an app does that is in a transaction. Returns what lets go of it. */
function lock(store: SqliteStore): () => void {
  const rival = store.connect()
  rival.exec('BEGIN IMMEDIATE')
  return () => rival.exec('ROLLBACK')
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1]!
}

/** How long each attempt to begin takes that is refused: for so long the event loop stands still. */
function measureAttempts(): number[] {
  const attempts: number[] = []
  const exec = Database.prototype.exec
  jest.spyOn(Database.prototype, 'exec').mockImplementation(function (this: Database.Database, sql) {
    const startedAt = performance.now()
    try {
      return exec.call(this, sql)
    } catch (error) {
      attempts.push(performance.now() - startedAt)
      throw error
    }
  })
  return attempts
}

describe("While another connection has the file's write lock", () => {
  test('no attempt waits for it, so that the event loop goes on', async () => {
    const store = createStore()
    const node = await store.open({ lockTimeoutSeconds: 0.5 })
    lock(store)
    const attempts = measureAttempts()
    await expect(node.append(send())).rejects.toThrow('SQLITE_BUSY')
    const ours = attempts.splice(0)
    const waiting = new Database(store.file, { timeout: 10 })
    expect(() => waiting.exec('BEGIN IMMEDIATE')).toThrow('database is locked')
    waiting.close()
    // A slow machine makes some of them long, a wait for the lock all of them.
    expect(ours.length).toBeGreaterThan(10)
    expect(median(ours)).toBeLessThan(attempts[0]! / 3)
  })

  test('a call is refused in the end, with who is in the way and of what file', async () => {
    const store = createStore()
    const channel = new CometStateManager(store.node({ lockTimeoutSeconds: 0.2 }).provider)
    channels.push(channel)
    await channel.open()
    const unlock = lock(store)
    const told = {
      code: 'COMET_PROVIDER_IS_UNAVAILABLE',
      status: 503,
      message: expect.stringContaining(
        `${store.file}: another connection has been in the way for longer than 0.2 s: it holds the write lock`,
      ),
    }
    await expect(channel.sendMessage('Refused', 1)).rejects.toMatchObject(told)
    unlock()
    await channel.sendMessage('Sent', 2)
    expect(channel.stats().retainedMessages).toBe(1)
  })

  test('every call that writes is refused, and leaves nothing behind', async () => {
    const store = createStore()
    const node = await store.open({ lockTimeoutSeconds: 0.1 })
    const ann = await node.initialise(initialise('ann'))
    const unlock = lock(store)
    const calls = [
      node.provider.append([send(), initialise('bob')]),
      node.provider.renewLeases([renewal(ann)]),
      node.provider.removeExpired(),
      store.open({ lockTimeoutSeconds: 0.1, name: 'other' }),
    ]
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected')
    unlock()
    expect(await node.listed()).toEqual(['ann'])
    expect(await node.told()).toHaveLength(1)
    expect((await node.record(hashOf('ann'))).holder).toBeUndefined()
  })

  test('reading goes on, and nobody is told of trouble', async () => {
    const store = createStore()
    const nodes = [await store.open(), await store.open()]
    await nodes[0]!.append(initialise('ann'), send())
    lock(store)
    const { calls } = nodes[0]!.listener
    for (const node of nodes) {
      expect(await node.record(hashOf('ann'))).toHaveProperty('client.publicToken', 'ann')
      expect(await node.listed()).toEqual(['ann'])
      expect(await node.told()).toHaveLength(2)
    }
    expect(nodes[0]!.listener.calls).toBe(calls)
  })

  test('what waits goes on as soon as the lock is free, in order', async () => {
    const store = createStore()
    const node = await store.open()
    const unlock = lock(store)
    const attempts = measureAttempts()
    const appends = ['One', 'Two'].map((name) => node.appendOne(send(name)))
    while (attempts.length < 5) await new Promise(setImmediate)
    unlock()
    await Promise.all(appends)
    expect(await node.told()).toHaveLength(2)
  })

  test('close comes to an end', async () => {
    const store = createStore()
    const brief = { lockTimeoutSeconds: 0.5 }
    const nodes = [await store.open({ ...brief, durability: 'normal' }), await store.open(brief)]
    const unlock = lock(store)
    const append = expect(nodes[1]!.append(send())).rejects.toThrow('closed before this was done')
    await Promise.all(nodes.map(({ provider }) => provider.close()))
    await append
    unlock()
    expect((await store.open()).listener.log.entries).toEqual([])
  })

  test("a node of durability 'normal' that closes waits for it, so that its log goes on", async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    const id = await node.appendOne(send())
    const unlock = lock(store)
    const startedAt = performance.now()
    const closed = node.provider.close()
    // Longer than one that has nothing to lose waits.
    await eventually(() => performance.now() - startedAt > 1200)
    unlock()
    await closed
    const { epoch, entries } = (await store.open()).listener.log
    expect(epoch).toBe(node.listener.log.epoch)
    expect(entries.map((entry) => entry.id)).toEqual([id])
  })
})
