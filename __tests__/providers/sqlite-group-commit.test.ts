import { afterEach, describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { initialise, send } from '../../providers/contract/operations.ts'
import { commitsIn } from './sqlite-connections.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

const channels: CometStateManager[] = []

afterEach(async () => {
  for (const channel of channels.splice(0)) await channel.close()
  await disposeStores()
})

async function openChannel(store: SqliteStore): Promise<CometStateManager> {
  const channel = new CometStateManager(store.node().provider)
  channels.push(channel)
  await channel.open()
  // The sweep that an opening begins with is a commit of its own.
  await channel.sendMessage('First', null)
  return channel
}

/** How many commits come into the file while this happens. */
async function commitsOf(store: SqliteStore, work: () => Promise<unknown>): Promise<number> {
  const before = commitsIn(store.file)
  await work()
  return commitsIn(store.file) - before
}

describe('What is sent over SQLite', () => {
  test('in one turn of the event loop is one commit', async () => {
    const store = createStore()
    const channel = await openChannel(store)
    const sends = () =>
      Promise.all(Array.from({ length: 100 }, (_, index) => channel.sendMessage('Chat', index)))
    expect(await commitsOf(store, sends)).toBe(1)
    const mixed = () =>
      Promise.all([channel.initializeClient({ publicToken: 'ann' }), channel.sendMessage('Chat', 1)])
    expect(await commitsOf(store, mixed)).toBe(1)
  })

  test('one after another is one commit each', async () => {
    const store = createStore()
    const channel = await openChannel(store)
    const work = async () => {
      for (let round = 0; round < 5; round += 1) await channel.sendMessage('Chat', round)
    }
    expect(await commitsOf(store, work)).toBe(5)
  })

  test('is in one transaction also if some of it is refused', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(initialise('ann'))
    const outcomes = await node.provider.append([send('One'), initialise('ann'), send('Two')])
    expect(outcomes.map((outcome) => 'refused' in outcome)).toEqual([false, true, false])
    expect(await node.told()).toHaveLength(3)
  })

  test('is stored wholly or not at all if the database fails amid it, and the lock is free after it', async () => {
    const store = createStore()
    const node = await store.open()
    const app = store.connect()
    app.exec(`CREATE TRIGGER no_bad BEFORE INSERT ON comet_1_entries WHEN NEW.name = 'Bad'
              BEGIN SELECT RAISE(ABORT, 'none of that'); END`)
    const batch = [initialise('ann'), send('Good', { key: 'k' }), send('Bad')]
    await expect(node.append(...batch)).rejects.toThrow(/app\.db: none of that/)
    app.exec('DROP TRIGGER no_bad')
    expect(await node.listed()).toEqual([])
    expect(await node.append(...batch)).toHaveLength(3)
    expect(await node.told()).toHaveLength(3)
  })

  test('is seen by every connection in the turn in which its promise resolves', async () => {
    const store = createStore()
    const channel = await openChannel(store)
    const find = store
      .connect()
      .prepare<[number], string>('SELECT name FROM comet_1_entries WHERE id = ?')
      .pluck()
    const seen = await Promise.all(
      ['One', 'Two', 'Three'].map((name) => channel.sendMessage(name, null).then((id) => find.get(id))),
    )
    expect(seen).toEqual(['One', 'Two', 'Three'])
  })

  test('is told to nobody before it is committed', async () => {
    const store = createStore()
    const nodes = [await store.open(), await store.open()]
    const find = store
      .connect()
      .prepare<[number], string>('SELECT name FROM comet_1_entries WHERE id = ?')
      .pluck()
    const seen: unknown[] = []
    for (const { listener } of nodes)
      listener.onEntries = (entries) => seen.push(...entries.map(({ id }) => find.get(id)))
    await nodes[0]!.append(send('One'), send('Two'))
    await nodes[1]!.told()
    expect(seen).toEqual(['One', 'Two', 'One', 'Two'])
  })
})
