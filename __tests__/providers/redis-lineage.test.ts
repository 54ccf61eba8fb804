import { afterEach, describe, expect, jest } from '@jest/globals'
import { claim, initialise, initialiseAs, reply, send, stop } from '../../providers/contract/operations.ts'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import { eventually } from '../support/eventually.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { RedisGate } from '../support/redis/redis-gate.ts'
import { disposeServers, type RedisServer, startServer } from '../support/redis/redis-server.ts'
import { createStore, disposeStores, type RedisStore } from '../support/redis/redis-store.ts'

const gates: RedisGate[] = []

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
  for (const gate of gates.splice(0)) await gate.close()
  await disposeServers()
})

const KEPT = { appendonly: 'yes', appendfsync: 'always' }

/** Resolves when the node is told of another life of the log than this one. */
async function toldOfAnother({ listener }: ProviderNode, epoch: string): Promise<void> {
  await eventually(() => listener.log.epoch !== epoch)
}

/** Asks again and again. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate)
}

async function openGateTo({ port }: RedisServer): Promise<RedisGate> {
  const gate = await RedisGate.open(port)
  gates.push(gate)
  return gate
}

/** A server, and another one that is told by it what it is told; the network between the two is a gate. */
async function openPair() {
  const [primary, replica] = [await startServer(), await startServer()]
  const between = await openGateTo(primary)
  await replica.command('REPLICAOF', '127.0.0.1', String(between.port))
  await until(async () =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
  )
  return { primary, replica, between }
}

/** The highest id that a server has given. */
async function headOn(server: RedisServer, { prefix }: RedisStore): Promise<number> {
  return Number(await server.command('HGET', `{${prefix}:chat}:channel`, 'head'))
}

describe('A new life of the log', () => {
  test('begins when the server was restarted, and is told at once; clients and keys are there', async () => {
    const server = await startServer({ config: KEPT })
    const store = await createStore(server)
    const [one, other] = [await store.open(), await store.open()]
    await one.initialise(initialise('ann'))
    const first = await one.appendOne(send('First', { key: 'k' }))
    const { epoch } = one.listener.log
    await server.kill()
    await server.restart(KEPT)
    await toldOfAnother(one, epoch)
    await toldOfAnother(other, epoch)
    expect(other.listener.log).toEqual(one.listener.log)
    expect(one.listener.log.trimmedThrough).toBeGreaterThan(first)
    expect(await other.listed()).toEqual(['ann'])
    expect(await other.appendOne(send('Again', { key: 'k' }))).toBe(first)
  })

  test('begins with nothing when the server kept nothing, and is told at once', async () => {
    jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const server = await startServer({ config: { appendonly: 'no' } })
    const store = await createStore(server)
    const node = await store.open()
    await node.initialise(initialise('ann'))
    const head = await node.appendOne(send())
    const { epoch } = node.listener.log
    await server.kill()
    await server.restart()
    await toldOfAnother(node, epoch)
    expect(node.listener.log).toMatchObject({ entries: [] })
    expect(node.listener.log.trimmedThrough).toBeGreaterThan(head)
    expect(await node.listed()).toEqual([])
  })

  test('begins when somebody has emptied the server, with whatever is done next', async () => {
    const store = await createStore(await startServer())
    const [one, other] = [await store.open(), await store.open()]
    const head = await one.appendOne(send())
    const { epoch } = one.listener.log
    await store.server.command('FLUSHALL')
    await other.provider.removeExpired()
    for (const node of [one, other]) await toldOfAnother(node, epoch)
    expect(await one.appendOne(send())).toBeGreaterThan(head)
    expect(await other.told()).toEqual(await one.told())
  })

  test('begins once when a first replica is attached, and not with the next one', async () => {
    const store = await createStore(await startServer())
    const node = await store.open()
    const epochs = [node.listener.log.epoch]
    for (const _ of ['first', 'second']) {
      const replica = await startServer()
      await replica.replicaOf(store.server)
      await node.provider.removeExpired()
      await node.provider.catchUp()
      epochs.push(node.listener.log.epoch)
    }
    expect(epochs[1]).not.toBe(epochs[0])
    expect(epochs[2]).toBe(epochs[1])
  })
})

describe('After a failover that has lost the newest messages', () => {
  test('no id is given twice, every node is told, and a restart of the promoted server is another life', async () => {
    const { primary, replica, between } = await openPair()
    const store = await createStore(primary)
    const gate = await openGateTo(primary)
    const [one, other] = [await store.open({ gate }), await store.open({ gate })]
    await one.append(send('Kept'))
    await until(async () => (await headOn(replica, store)) === one.listener.head)
    between.cut()
    const lost = await one.appendOne(send('Lost'))
    const { epoch } = one.listener.log
    await primary.kill()
    await replica.promote()
    // What the finding is about: the promoted server would give this id again, and has the same epoch.
    expect(await headOn(replica, store)).toBe(lost - 1)
    gate.pointTo(replica.port)
    for (const node of [one, other]) await toldOfAnother(node, epoch)
    const next = await other.appendOne(send('Next'))
    expect(next).toBeGreaterThan(lost)
    expect(await one.told()).toMatchObject([{ name: 'Next', id: next }])
    const { epoch: second } = one.listener.log
    await until(async () =>
      String(await replica.command('INFO', 'persistence')).includes('aof_rewrite_in_progress:0'),
    )
    await replica.kill()
    await replica.restart()
    for (const node of [one, other]) await toldOfAnother(node, second)
    expect(await one.appendOne(send('After'))).toBeGreaterThan(next)
  })

  test('nodes that stayed with the old server, and were told of what is lost, have all others told again, once', async () => {
    const { primary, replica, between } = await openPair()
    const store = await createStore(primary)
    const [near, far] = [await openGateTo(primary), await openGateTo(primary)]
    const stayed = [await store.open({ gate: near }), await store.open({ gate: near })]
    const went = await store.open({ gate: far })
    await went.append(send('Kept'))
    await until(async () => (await headOn(replica, store)) === went.listener.head)
    const first = went.listener.log.epoch
    between.cut()
    await replica.promote()
    far.pointTo(replica.port)
    await toldOfAnother(went, first)
    const second = went.listener.log.epoch
    // Nobody who follows the new server will ever be told of this one.
    const lost = await stayed[0]!.appendOne(send('Lost'))
    for (const node of stayed) await node.provider.catchUp()
    expect(stayed.map(({ listener }) => [listener.log.epoch, listener.head])).toEqual([
      [first, lost],
      [first, lost],
    ])
    near.pointTo(replica.port)
    await toldOfAnother(went, second)
    for (const node of stayed) await toldOfAnother(node, first)
    for (const node of [...stayed, went]) await node.provider.catchUp()
    const epochs = new Set([...stayed, went].map(({ listener }) => listener.log.epoch))
    expect(epochs.size).toBe(1)
    expect(epochs).not.toContain(second)
    const id = await went.appendOne(send('After'))
    for (const node of stayed) expect(await node.told()).toMatchObject([{ name: 'After', id }])
  })
})

describe('A server that lacks what a node has seen', () => {
  test('of the same life of the log, as after an old copy was put back, begins a new one', async () => {
    const store = await createStore(await startServer())
    const node = await store.open()
    await node.append(send('Kept'))
    const keys = await store.keys()
    await ofEach(store, keys, "redis.call('COPY', key, 'old ' .. key)")
    const lost = await node.appendOne(send('Lost'))
    const { epoch } = node.listener.log
    await node.provider.catchUp()
    await ofEach(store, keys, "redis.call('RENAME', 'old ' .. key, key)")
    const next = await node.appendOne(send('Next'))
    expect(next).toBeGreaterThan(lost)
    expect(node.listener.log.epoch).not.toBe(epoch)
    expect(await node.told()).toMatchObject([{ name: 'Next', id: next }])
  })

  test('since a part was evicted, whichever it is, begins anew with nothing, and is whole again', async () => {
    const store = await createStore(await startServer())
    const node = await store.open()
    const evictable = await fill(node, store)
    expect(evictable.length).toBe(17)
    for (const keys of evictionsOf(evictable)) {
      const { epoch } = node.listener.log
      await store.server.command('UNLINK', ...keys)
      await node.provider.removeExpired()
      await node.provider.catchUp()
      expect([keys, node.listener.log.epoch === epoch]).toEqual([keys, false])
      expect([keys, await node.listed()]).toEqual([keys, []])
      await fill(node, store)
    }
    const late = await store.open()
    expect(late.listener.log.entries).toEqual(await node.told())
  })
})

/** Does it with all keys in one step, so that nobody meets half of it. */
async function ofEach({ server }: RedisStore, keys: readonly string[], command: string): Promise<void> {
  const script = `for _, key in ipairs(KEYS) do ${command} end`
  await server.command('EVAL', script, String(keys.length), ...keys)
}

/** One part at a time; and those together that are written together, and so are old together. */
function evictionsOf(keys: readonly string[]): string[][] {
  const named = (part: string): string => keys.find((key) => key.endsWith(`:${part}`))!
  const pairs = [
    ['key-ids', 'key-times'],
    ['claims', 'claim-times'],
    ['replies', 'reply-order'],
    ['calls', 'call-times'],
  ]
  return [...keys.map((key) => [key]), ...pairs.map((parts) => parts.map(named))]
}

/** Puts something into each part of a channel. The keys of the parts, but not those of stops under way. */
async function fill(node: ProviderNode, store: RedisStore): Promise<string[]> {
  const { epoch } = node.listener.log
  const ann = await node.initialise(initialiseAs(`ann ${epoch}`, { userId: 'ann', groups: ['room'] }))
  await node.append(initialise(`bob ${epoch}`), stop(`bob ${epoch}`), send('Kept', { key: 'k' }))
  await node.claim(claim(ann, 'k', 'run'))
  await node.provider.settle([reply(claim(ann, 'k', 'run'), '"done"')])
  await node.provider.catchUp()
  return store.keys()
}
