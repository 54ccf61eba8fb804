import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { hashOf, initialise, renewal, send } from '../../providers/contract/operations.ts'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import { eventually } from '../support/eventually.ts'
import { connectApp, sendAlone, sendWithin } from './sqlite-app.ts'
import { watchConnections } from './sqlite-connections.ts'
import { canMakeDisk, withDisk } from './sqlite-disk.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

const FULL = /app\.db: the disk is full\. It goes on when there is room again/
const LARGE = send('Large', { contents: JSON.stringify('x'.repeat(100_000)) })

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

const testWithDisk = canMakeDisk ? test : test.skip

/** Appends until there is no more room. Resolves with how many were stored. */
async function fill(node: ProviderNode): Promise<number> {
  for (let count = 0; ; count += 1) {
    const [outcome] = await Promise.allSettled([node.append(LARGE)])
    if (outcome.status === 'fulfilled') continue
    expect(String(outcome.reason)).toMatch(FULL)
    return count
  }
}

describe('When there is no more room for the file', () => {
  test('what does not fit is refused as a whole, and all goes on when there is', async () => {
    const connections = watchConnections()
    const store = createStore()
    const node = await store.open()
    const [own] = connections(store.file)
    const ann = await node.initialise(initialise('ann'))
    const pages = own!.pragma('page_count', { simple: true }) as number
    own!.pragma(`max_page_count = ${pages + 100}`)
    const stored = await fill(node)
    expect(stored).toBeGreaterThan(0)
    const batch = [send('Before', { key: 'before' }), initialise('bob'), LARGE, send('After')]
    await expect(node.append(...batch)).rejects.toThrow(FULL)
    expect(await node.told()).toHaveLength(1 + stored)
    expect(await node.listed()).toEqual(['ann'])
    expect(await node.record(hashOf('ann'))).toHaveProperty('client', ann)
    const other = await store.open()
    expect(other.listener.log.entries).toEqual(await node.told())
    own!.pragma('max_page_count = 100000')
    const done = await node.append(...batch)
    expect(done.map(({ id }) => id)).toEqual([1, 2, 3, 4].map((more) => other.listener.log.head + more))
    expect(await other.told()).toEqual(await node.told())
    expect(await node.append(batch[0]!)).toEqual([done[0]])
  })

  test('a transaction of the app is told so by code, that SQLite has rolled it back, and what is to be done', async () => {
    const store = createStore()
    const node = await store.open()
    const app = connectApp(store)
    const pages = app.pragma('page_count', { simple: true }) as number
    app.pragma(`max_page_count = ${pages + 20}`)
    app.exec('BEGIN')
    const fill = () => {
      for (let count = 0; count < 10; count += 1) void sendWithin(node, app, LARGE)
    }
    expect(fill).toThrow(
      expect.objectContaining({
        code: 'COMET_PROVIDER_IS_UNAVAILABLE',
        message: expect.stringMatching(
          /app\.db: the disk is full\. It goes on .* \(SQLITE_FULL\)\. SQLite has rolled the whole transaction back\./,
        ),
        cause: expect.objectContaining({ message: expect.stringMatching(FULL) }),
      }) as unknown as Error,
    )
    expect(app.inTransaction).toBe(false)
    app.pragma('max_page_count = 100000')
    const { id } = await sendAlone(node, app, LARGE)
    expect((await node.told()).map((entry) => entry.id)).toEqual([id])
  })

  testWithDisk('so it is on a real disk, for every call, and nothing is lost', async () => {
    const store = createStore()
    await withDisk(store, '3m', async (remount) => {
      const nodes = [await store.open(), await store.open()]
      const [node, other] = nodes as [ProviderNode, ProviderNode]
      const ann = await node.initialise(initialise('ann'))
      const stored = await fill(node)
      const calls = [
        node.renew(renewal(ann)),
        other.sweep(),
        other.append(LARGE),
        store.open({ name: 'new' }),
      ]
      for (const outcome of await Promise.allSettled(calls)) {
        if (outcome.status === 'rejected') expect(String(outcome.reason)).toMatch(FULL)
      }
      expect(await other.told()).toEqual(await node.told())
      expect((await node.told()).filter(({ kind }) => kind === 'message')).toHaveLength(stored)
      remount('size=16m')
      await Promise.all(nodes.map((each) => each.append(LARGE)))
      expect(await node.renew(renewal(ann))).toBe('kept')
      await store.open({ name: 'new' })
      await eventually(() => other.listener.told.length === stored + 3)
      expect(store.connect().pragma('integrity_check', { simple: true })).toBe('ok')
    })
  })

  testWithDisk('a provider that cannot open says so, and opens when there is', async () => {
    const store = createStore()
    await withDisk(store, '16k', async (remount) => {
      const { provider, listener } = store.node()
      const open = () => provider.open('chat', listener, { seconds: 1, messages: 1, bytes: 1 })
      await expect(open()).rejects.toThrow(FULL)
      remount('size=4m')
      await open()
    })
  })
})
