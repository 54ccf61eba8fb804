import { existsSync, statSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { send } from '../../providers/contract/operations.ts'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { bundled, type Program } from './sqlite-child-process.ts'
import { ProviderProcess } from './sqlite-processes.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

let program: Program
const processes: ProviderProcess[] = []

beforeAll(async () => {
  program = await bundled('sqlite-process.ts')
})

afterAll(() => program.remove())

afterEach(async () => {
  for (const process of processes.splice(0)) await process.kill()
  await disposeStores()
})

/** A node in a process of its own. */
async function startNode({ file, nowMs }: SqliteStore, durability: 'full' | 'normal') {
  const provider = await ProviderProcess.start(program, { file, durability, aheadMs: nowMs - Date.now() })
  processes.push(provider)
  const node = new ProviderNode(provider, new RecordingListener())
  await provider.open('chat', node.listener, AMPLE_RETENTION)
  return { node, kill: () => provider.kill() }
}

/** A node of durability 'normal' that has stored a message and was killed. Answers with the id. */
async function storeAndDie(store: SqliteStore): Promise<number> {
  const { node, kill } = await startNode(store, 'normal')
  const id = await node.appendOne(send('By normal'))
  await kill()
  return id
}

const nodesFile = ({ file }: SqliteStore) => `${file}-comet-nodes`

describe("While a node of durability 'full' lives, and one of 'normal' is killed", () => {
  test.each(['full', 'normal'] as const)('the next, %s, goes on with the log', async (durability) => {
    const store = createStore()
    const full = await store.open()
    const ids = [await full.appendOne(send('By full')), await storeAndDie(store)]
    const next = await store.open({ durability })
    expect(next.listener.log.epoch).toBe(full.listener.log.epoch)
    for (const node of [full, next]) expect((await node.told()).map(({ id }) => id)).toEqual(ids)
    full.listener.assertSound()
  })

  test('a new epoch begins if it is killed as well: a power cut looks the same', async () => {
    const store = createStore()
    const full = await startNode(store, 'full')
    const id = await storeAndDie(store)
    await full.kill()
    const { epoch, trimmedThrough } = (await store.open()).listener.log
    expect(epoch).not.toBe(full.node.listener.log.epoch)
    expect(trimmedThrough).toBeGreaterThan(id)
  })

  test('a clean end of the last one is the end of the doubt', async () => {
    const store = createStore()
    const full = await store.open()
    const id = await storeAndDie(store)
    await full.provider.close()
    const { epoch, head } = (await store.open({ durability: 'normal' })).listener.log
    expect({ epoch, head }).toEqual({ epoch: full.listener.log.epoch, head: id })
  })
})

describe('The file that tells who lives', () => {
  test.each([
    ['full', 'normal'],
    ['normal', 'full'],
  ] as const)('is there from the first node on, %s, until the last has left, %s', async (first, last) => {
    const store = createStore()
    const nodes = [await store.open({ durability: first }), await store.open({ durability: last })]
    for (const { provider } of nodes) {
      expect(statSync(nodesFile(store)).mode & 0o777).toBe(0o600)
      await provider.close()
    }
    expect(existsSync(nodesFile(store))).toBe(false)
  })

  test('is left by one that was killed, and taken away by the next', async () => {
    const store = createStore()
    await storeAndDie(store)
    expect(existsSync(nodesFile(store))).toBe(true)
    const next = await store.open()
    await next.provider.close()
    expect(existsSync(nodesFile(store))).toBe(false)
  })
})
