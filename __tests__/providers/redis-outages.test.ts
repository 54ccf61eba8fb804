import { afterEach, describe, expect, jest } from '@jest/globals'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient } from 'redis'
import { send } from '../../providers/contract/operations.ts'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { eventually } from '../support/eventually.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { RedisGate } from '../support/redis/redis-gate.ts'
import { disposeServers, type RedisServer, startServer } from '../support/redis/redis-server.ts'

/** Nobody listens there. */
const NOBODY = ['127.0.0.1', '1'] as const

const opened: RedisCometStateProvider[] = []
const gates: RedisGate[] = []

afterEach(async () => {
  jest.restoreAllMocks()
  for (const provider of opened.splice(0)) await provider.close()
  for (const gate of gates.splice(0)) await gate.close()
  await disposeServers()
})

async function openNode(...parameters: ConstructorParameters<typeof RedisCometStateProvider>) {
  const provider = new RedisCometStateProvider(...parameters)
  opened.push(provider)
  const node = new ProviderNode(provider, new RecordingListener())
  await provider.open('chat', node.listener, AMPLE_RETENTION)
  return node
}

async function openGateTo({ port }: RedisServer): Promise<RedisGate> {
  const gate = await RedisGate.open(port)
  gates.push(gate)
  return gate
}

/** Resolves when the server has answered somebody with an error of this code. */
async function hasRefused(server: RedisServer, code: string): Promise<void> {
  while (!String(await server.command('INFO', 'errorstats')).includes(`errorstat_${code}:`));
}

async function expectSent(node: ProviderNode, sent: Promise<number>): Promise<void> {
  const id = await sent
  expect((await node.told()).at(-1)).toMatchObject({ name: 'Meanwhile', id })
}

describe('A server that does nothing of what it is asked for a time is asked again, until it does', () => {
  interface Outage {
    readonly code: string
    begin(server: RedisServer): Promise<unknown>
    end(server: RedisServer): Promise<unknown>
  }

  const outages: readonly Outage[] = [
    {
      code: 'NOREPLICAS',
      begin: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', '1'),
      end: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', '0'),
    },
    {
      code: 'READONLY',
      begin: (server) => server.command('REPLICAOF', ...NOBODY),
      end: (server) => server.promote(),
    },
    {
      code: 'MASTERDOWN',
      async begin(server) {
        await server.command('CONFIG', 'SET', 'replica-serve-stale-data', 'no')
        await server.command('REPLICAOF', ...NOBODY)
      },
      end: (server) => server.promote(),
    },
  ]

  for (const { code, begin, end } of outages) {
    test(`it says ${code}`, async () => {
      const server = await startServer()
      const node = await openNode(createClient({ url: server.url }))
      await begin(server)
      const sent = node.appendOne(send('Meanwhile'))
      await Promise.race([sent, hasRefused(server, code)])
      await end(server)
      await expectSent(node, sent)
    })
  }

  test('it says BUSY, since somebody’s script takes long', async () => {
    const server = await startServer({ config: { 'lua-time-limit': '1' } })
    const node = await openNode(createClient({ url: server.url }))
    const script = "while not string.find(redis.call('INFO', 'errorstats'), 'errorstat_BUSY:') do end"
    const busy = server.command('EVAL', script, '0')
    const sent = node.appendOne(send('Meanwhile'))
    await Promise.all([busy, expectSent(node, sent)])
  })

  test('it says LOADING, since it has been restarted', async () => {
    const server = await startServer({ config: { appendonly: 'no', save: '3600 1', rdbcompression: 'no' } })
    const node = await openNode(createClient({ url: server.url }))
    const filling = Array.from({ length: 300 }, (_, index) => [`filling ${index}`, 'x'.repeat(1024)])
    await server.command('MSET', ...filling.flat())
    // What it took before it ends would belong to the life of the log that ends with it.
    await server.stop()
    const restarted = server.restart({
      // Microseconds for each key, and how often it looks at what it is asked.
      'key-load-delay': '2000',
      'loading-process-events-interval-bytes': '1024',
    })
    const sent = node.appendOne(send('Meanwhile'))
    await Promise.all([restarted, expectSent(node, sent)])
    await hasRefused(server, 'LOADING')
  })

  test('it says that a call came too late, since the clock of this process stood still in its sleep', async () => {
    const server = await startServer()
    const node = await openNode(createClient({ url: server.url }))
    const clock = performance.now.bind(performance)
    jest.spyOn(performance, 'now').mockImplementation(() => clock() - 60_000)
    await expectSent(node, node.appendOne(send('Meanwhile')))
    await hasRefused(server, 'COMETLATE')
  })
})

test('What the app’s function says is no word of the server’s: it is asked again', async () => {
  const server = await startServer()
  let failures = 0
  const node = await openNode(() => {
    failures += 1
    if (failures < 4) throw new Error('DNS lookup failed')
    return createClient({ url: server.url })
  })
  await node.append(send())
  expect(failures).toBeGreaterThanOrEqual(4)
})

test('A node of a primary that has become a replica, and is out of touch with its own, says so', async () => {
  const server = await startServer()
  const node = await openNode(createClient({ url: server.url }), { timeoutSeconds: 1 })
  await server.command('REPLICAOF', ...NOBODY)
  await eventually(() => !node.listener.isAvailable)
  await expect(node.provider.catchUp()).rejects.toThrow(/it is a replica/)
  await expect(node.provider.getClient('hash')).rejects.toThrow(/it is a replica/)
  await server.promote()
  await eventually(() => node.listener.isAvailable)
})

test('A node that asks another server than the one it follows finds out, and nothing is promised meanwhile', async () => {
  const [first, second] = [await startServer(), await startServer()]
  let primary = first
  const source = () => createClient({ url: primary.url, name: 'node' })
  const node = await openNode(source, { timeoutSeconds: 1 })
  const { epoch } = node.listener.log
  primary = second
  // Not the one that waits for news.
  const [, asking] = /id=(\d+) .*name=node .*flags=N /.exec(String(await first.command('CLIENT', 'LIST')))!
  await first.command('CLIENT', 'KILL', 'ID', asking!)
  await expect(node.append(send('Nowhere'))).rejects.toThrow('no answer in time')
  await eventually(() => node.listener.log.epoch !== epoch)
  await expectSent(node, node.appendOne(send('Meanwhile')))
})

test('A node finds out that its primary has become a replica also if it did not wait for news at that moment', async () => {
  const server = await startServer()
  const node = await openNode(createClient({ url: server.url, name: 'follower' }), { timeoutSeconds: 1 })
  const waiting = async () => /id=(\d+) .*cmd=xread/.exec(String(await server.command('CLIENT', 'LIST')))?.[1]
  let id = await waiting()
  while (id === undefined) id = await waiting()
  // In one step: so its next read finds a replica.
  await Promise.all([
    server.command('MULTI'),
    server.command('CLIENT', 'UNBLOCK', id),
    server.command('REPLICAOF', ...NOBODY),
    server.command('EXEC'),
  ])
  await eventually(() => !node.listener.isAvailable)
})

describe('A connection is given up', () => {
  test('that does not answer: the next call takes another one', async () => {
    const server = await startServer()
    const gate = await openGateTo(server)
    let { url } = gate
    const node = await openNode(() => createClient({ url }), { timeoutSeconds: 1 })
    ;({ url } = server)
    gate.dropReplies()
    await expect(node.append(send('Lost'))).rejects.toThrow('no answer in time')
    await node.append(send('Next'))
    await eventually(() => node.listener.isAvailable)
    // What was done, though nobody heard of it, is there as well.
    expect((await node.told()).at(-1)).toMatchObject({ name: 'Next' })
  })

  test('to a server that has become a replica: the next one is to who is the primary now', async () => {
    const [first, second] = [await startServer(), await startServer()]
    let primary = first
    const node = await openNode(() => createClient({ url: primary.url }))
    await second.replicaOf(first)
    await second.promote()
    primary = second
    await first.replicaOf(second)
    await expectSent(node, node.appendOne(send('Meanwhile')))
    await hasRefused(first, 'READONLY')
  })
})

test('After an outage that was longer than a call may take, calls are patient in the next one', async () => {
  const server = await startServer()
  const gate = await openGateTo(server)
  const node = await openNode(createClient({ url: gate.url }), { timeoutSeconds: 1 })
  gate.cut()
  await expect(node.append(send('Lost'))).rejects.toThrow()
  gate.mend()
  await eventually(() => node.listener.isAvailable)
  await node.append(send('Between'))
  const { refused } = gate.hits
  gate.cut()
  const sent = node.append(send('Meanwhile'))
  await eventually(() => gate.hits.refused > refused + 2)
  gate.mend()
  await sent
  expect((await node.told()).map((entry) => entry.kind === 'message' && entry.name)).toEqual([
    'Between',
    'Meanwhile',
  ])
})
