import { afterAll, afterEach, expect } from '@jest/globals'
import { send } from '../../../providers/contract/operations.ts'
import { testWithRedis as test } from './redis-available.ts'
import { disposeServers, startServer } from './redis-server.ts'
import { createStore, disposeSharedServer, disposeStores } from './redis-store.ts'

afterEach(disposeStores)
afterEach(disposeServers)
afterAll(disposeSharedServer)

test('Two nodes of a store share a channel, and another store on the same server has its own', async () => {
  const [store, other] = [await createStore(), await createStore()]
  const [node, second, foreign] = [await store.open(), await store.open(), await other.open()]
  expect(store.server).toBe(other.server)
  const id = await node.appendOne(send())
  expect((await second.told()).map((entry) => entry.id)).toEqual([id])
  expect(await foreign.told()).toEqual([])
})

test('A gate in front of a node cuts off that node alone', async () => {
  const store = await createStore()
  const [gate, node] = [await store.openGate(), await store.open()]
  const gated = await store.open({ gate, timeoutSeconds: 0.5 })
  gate.cut()
  await expect(gated.appendOne(send())).rejects.toThrow()
  await node.appendOne(send())
  expect(gate.hits.cut).toBeGreaterThan(0)
})

test('A store that was disposed of has no keys, and those of another are there, also if it was frozen', async () => {
  const [store, other] = [await createStore(), await createStore()]
  for (const each of [store, other]) await (await each.open()).appendOne(send())
  expect(await store.keys()).not.toEqual([])
  store.server.freeze()
  await store.dispose()
  expect(await store.keys()).toEqual([])
  expect(await other.keys()).not.toEqual([])
})

test('A store can be disposed of whose own server does not run any more', async () => {
  const server = await startServer({ config: { appendonly: 'yes' } })
  const store = await createStore(server)
  const { provider } = await store.open()
  await server.kill()
  await store.dispose()
  await expect(provider.catchUp()).rejects.toThrow(TypeError)
  expect(server.pid).toBeUndefined()
})
