import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { hashOf, initialise, send } from '../../providers/contract/operations.ts'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { bundled, type Program } from './sqlite-child-process.ts'
import { ProviderProcess } from './sqlite-processes.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

/**
 * A power cut takes the newest commits of durability 'normal', and ends every process. Here the processes end without
 * one: whoever opens next cannot know.
 */
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

/** A node in a process of its own, durability 'normal'. */
async function startNode({ file, nowMs }: SqliteStore, name = 'chat'): Promise<ProviderNode> {
  const aheadMs = nowMs - Date.now()
  const provider = await ProviderProcess.start(program, { file, durability: 'normal', aheadMs })
  processes.push(provider)
  const node = new ProviderNode(provider, new RecordingListener())
  await provider.open(name, node.listener, AMPLE_RETENTION)
  return node
}

async function kill({ provider }: ProviderNode): Promise<void> {
  await (provider as ProviderProcess).kill()
}

function epochOf({ listener }: ProviderNode): string {
  return listener.log.epoch
}

const NORMAL = { durability: 'normal' } as const

describe("A channel of durability 'normal'", () => {
  test('goes on in the same epoch when its nodes were closed, in whatever order', async () => {
    const store = createStore()
    const nodes = [await store.open(NORMAL), await store.open(NORMAL), await store.open()]
    const epoch = epochOf(nodes[0]!)
    await nodes[1]!.append(send())
    for (const { provider } of [nodes[1]!, nodes[2]!, nodes[0]!]) await provider.close()
    const again = await store.open(NORMAL)
    expect(epochOf(again)).toBe(epoch)
    expect(again.listener.log.entries).toHaveLength(1)
    await again.provider.close()
    expect(epochOf(await store.open())).toBe(epoch)
  })

  test('goes on in the same epoch beside other channels of the file, once all were closed', async () => {
    const store = createStore()
    const names = ['one', 'two', 'three']
    const epochs = async () => {
      const nodes = []
      for (const name of names) nodes.push(await store.open({ ...NORMAL, name }))
      await store.closeAll()
      return nodes.map(epochOf)
    }
    const first = await epochs()
    names.reverse()
    expect(await epochs()).toEqual([...first].reverse())
  })

  test.each(['normal', 'full'] as const)(
    'begins a new one with ids above when its last node ended otherwise, and %s opens it',
    async (durability) => {
      const store = createStore()
      const dead = await startNode(store)
      await dead.append(initialise('ann'))
      const id = await dead.appendOne(send('Perhaps lost', { key: 'k' }))
      await kill(dead)
      const node = await store.open({ durability })
      const { epoch, entries, head, trimmedThrough } = node.listener.log
      expect(epoch).not.toBe(epochOf(dead))
      expect(entries).toEqual([])
      expect(trimmedThrough).toBe(head)
      expect(trimmedThrough).toBeGreaterThan(id)
      // What is not lost goes on: clients, keys.
      expect(await node.record(hashOf('ann'))).toHaveProperty('client.generation', id - 1)
      expect((await node.append(send('Perhaps lost', { key: 'k' })))[0]!.id).toBe(id)
      expect(await node.appendOne(send())).toBe(head + 1)
      await store.closeAll()
      expect(epochOf(await store.open(NORMAL))).toBe(epoch)
    },
  )

  test('has ids above those of before also when the clock was set back', async () => {
    const store = createStore()
    const dead = await startNode(store)
    const id = await dead.appendOne(send())
    await kill(dead)
    store.nowMs -= 10 * 365 * 24 * 3600 * 1000
    const { trimmedThrough } = (await store.open(NORMAL)).listener.log
    // More than any disk loses at once.
    expect(trimmedThrough).toBeGreaterThan(id + 1_000_000)
  })

  test('stays in its epoch while another node lives, and leaves it after the last has died', async () => {
    const store = createStore()
    const [dead, last] = [await startNode(store), await startNode(store)]
    await dead.append(send('One'))
    await kill(dead)
    const third = await store.open(NORMAL)
    expect([epochOf(third), epochOf(last)]).toEqual([epochOf(dead), epochOf(dead)])
    await third.provider.close()
    await last.append(send('Two'))
    await kill(last)
    expect(epochOf(await store.open(NORMAL))).not.toBe(epochOf(dead))
  })

  test('begins a new epoch after a crash also if another channel of the file is opened first', async () => {
    const store = createStore()
    const dead = [await startNode(store, 'one'), await startNode(store, 'two')]
    for (const node of dead) await node.append(send())
    for (const node of dead) await kill(node)
    const alive = [await store.open({ ...NORMAL, name: 'one' }), await store.open({ ...NORMAL, name: 'two' })]
    for (const [index, node] of alive.entries()) {
      expect(epochOf(node)).not.toBe(epochOf(dead[index]!))
      expect(node.listener.log.trimmedThrough).toBeGreaterThan(dead[index]!.listener.head)
    }
  })

  test("stays in its epoch while a node of durability 'full' lives, which has seen all of it", async () => {
    const store = createStore()
    const full = await store.open()
    const dead = await startNode(store)
    const id = await dead.appendOne(send('Seen'))
    await kill(dead)
    const { epoch, entries } = (await store.open(NORMAL)).listener.log
    expect(epoch).toBe(epochOf(full))
    expect(entries.map((entry) => entry.id)).toEqual([id])
    await store.closeAll()
    expect(epochOf(await store.open())).toBe(epoch)
  })
})

describe("A channel of durability 'full'", () => {
  test('stays in its epoch however its nodes end', async () => {
    const store = createStore()
    const provider = await ProviderProcess.start(program, { file: store.file })
    processes.push(provider)
    const dead = new ProviderNode(provider, new RecordingListener())
    await provider.open('chat', dead.listener, AMPLE_RETENTION)
    const id = await dead.appendOne(send())
    await kill(dead)
    const { epoch, head } = (await store.open()).listener.log
    expect({ epoch, head }).toEqual({ epoch: epochOf(dead), head: id })
  })
})
