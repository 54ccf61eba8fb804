import { afterEach, describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { initialise, remove, send } from '../../providers/contract/operations.ts'
import { commitsIn } from './sqlite-connections.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(disposeStores)

/** The commits that come into the file while this happens, by turns of the event loop; turns without are left out. */
async function commitsByTurn(file: string, work: () => Promise<unknown>): Promise<number[]> {
  const commits: number[] = []
  let before = commitsIn(file)
  let isDone = false
  const done = work().finally(() => {
    isDone = true
  })
  for (;;) {
    const now = commitsIn(file)
    if (now > before) commits.push(now - before)
    before = now
    if (isDone) break
    await new Promise(setImmediate)
  }
  await done
  return commits
}

describe('However much comes in one turn, the event loop goes on:', () => {
  test('large messages are stored in commits of a megabyte, in their order', async () => {
    const store = createStore()
    const node = store.node()
    const channel = new CometStateManager(node.provider)
    await channel.open()
    // The sweep that an opening begins with is a commit of its own.
    await channel.sendMessage('First', null)
    const contents = 'x'.repeat(200_000)
    let ids: number[] = []
    const commits = await commitsByTurn(store.file, async () => {
      ids = await Promise.all(Array.from({ length: 12 }, () => channel.sendMessage('Large', contents)))
    })
    await channel.close()
    expect(commits).toEqual([1, 1, 1])
    expect(ids).toEqual(ids.map((_, index) => ids[0]! + index))
  })

  test('1,000 operations are done in commits of 250, and answered in their order', async () => {
    const store = createStore()
    const node = await store.open()
    const operations = Array.from({ length: 1000 }, () => send())
    let ids: number[] = []
    const commits = await commitsByTurn(store.file, async () => {
      ids = (await node.append(...operations)).map(({ id }) => id)
    })
    expect(commits).toEqual([1, 1, 1, 1])
    expect(ids).toEqual(ids.map((_, index) => ids[0]! + index))
    expect((await node.told()).map(({ id }) => id)).toEqual(ids)
  })

  test('what changes clients is done in commits of 100, among messages of fewer', async () => {
    const store = createStore()
    const node = await store.open()
    const steps: number[] = []
    node.listener.onEntries = ({ length }) => steps.push(length)
    const clients = Array.from({ length: 250 }, (_, index) => initialise(`client-${index}`))
    const done = await node.append(...clients)
    expect(steps.splice(0)).toEqual([100, 100, 50])
    await node.append(...done.map(({ client }) => remove(client!.publicToken, client!.generation)))
    expect(steps.splice(0)).toEqual([100, 100, 50])
    await node.append(...clients.slice(0, 50), ...Array.from({ length: 200 }, () => send()))
    expect(steps).toEqual([175, 75])
  })

  test('messages with many addresses are stored a few at a time, however short these are', async () => {
    const store = createStore()
    const { provider } = store.node()
    const channel = new CometStateManager(provider)
    await channel.open()
    await channel.sendMessage('First', null)
    const to = Array.from({ length: 1000 }, (_, index) => `${index}`)
    const commits = await commitsByTurn(store.file, () =>
      Promise.all(Array.from({ length: 50 }, () => channel.sendMessage('Chat', 1, { to }))),
    )
    await channel.close()
    expect(commits.length).toBeGreaterThanOrEqual(5)
    expect(Math.max(...commits)).toBe(1)
  })

  test('messages with many addresses are read a few at a time', async () => {
    const store = createStore()
    const [node, other] = [await store.open({ followMs: 60_000 }), await store.open()]
    const except = Array.from({ length: 1000 }, (_, index) => `${index}`.padStart(128, 'u'))
    await other.append(...Array.from({ length: 100 }, () => send('Chat', { except })))
    const steps: number[] = []
    node.listener.onEntries = ({ length }) => steps.push(length)
    expect(await node.told()).toHaveLength(100)
    // 131 kB each, in steps of 4 MB.
    expect(Math.max(...steps)).toBeLessThan(40)
  })
})
