import { afterEach, describe, expect, jest } from '@jest/globals'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient, createCluster, createSentinel, RESP_TYPES } from 'redis'
import { initialise, initialiseAs, send } from '../../providers/contract/operations.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { eventually } from '../support/eventually.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { disposeServers, startServer } from '../support/redis/redis-server.ts'

const opened: RedisCometStateProvider[] = []

afterEach(async () => {
  jest.restoreAllMocks()
  for (const provider of opened.splice(0)) await provider.close()
  await disposeServers()
})

/** A provider that is open, and its listener. */
async function open(...parameters: ConstructorParameters<typeof RedisCometStateProvider>) {
  const provider = new RedisCometStateProvider(...parameters)
  opened.push(provider)
  const listener = new RecordingListener()
  await provider.open('chat', listener, AMPLE_RETENTION)
  return { provider, listener }
}

/** Codes of the warnings that come meanwhile. */
async function warningsOf(work: () => Promise<unknown>): Promise<unknown[]> {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
  await work()
  return warn.mock.calls.map(([, options]) => (options as { code: string }).code)
}

describe('How the server keeps what it is told', () => {
  const NOTHING = 'KOA_COMET_REDIS_KEEPS_NOTHING'
  const configured = [
    [{ appendonly: 'no' }, 'everything', false, [NOTHING]],
    [{ appendonly: 'no', save: '60 1' }, 'minutes', false, []],
    [{ appendonly: 'yes', appendfsync: 'no' }, 'minutes', false, []],
    [{ appendonly: 'yes', appendfsync: 'everysec' }, 'a second', false, []],
    [
      { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'volatile-lru' },
      'nothing',
      true,
      ['KOA_COMET_REDIS_EVICTS'],
    ],
  ] as const

  for (const [config, loses, evicts, warnings] of configured) {
    test(`is said when the channel opens: ${JSON.stringify(config)} loses ${loses}`, async () => {
      const server = await startServer({ config })
      let report: unknown
      const codes = await warningsOf(async () => {
        const { provider } = await open(createClient({ url: server.url }))
        report = provider.server
        // Of the same server nothing more has to be said.
        await open(createClient({ url: server.url }))
      })
      expect(report).toMatchObject({ loses, evicts, version: expect.stringMatching(/^\d+\.\d+/) })
      expect(codes).toEqual(warnings)
    })
  }

  test('is unknown where the user may not ask, and what the README says suffices for all else', async () => {
    const server = await startServer({ config: { appendfsync: 'everysec' } })
    const rules = '~{koa-comet:* +@read +@write +@scripting +@connection +info +time'.split(' ')
    await server.command('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules)
    const { provider, listener } = await open(
      createClient({ url: `redis://app:secret@127.0.0.1:${server.port}` }),
    )
    expect(provider.server?.loses).toBe('unknown')
    await provider.append([initialise('ann'), send()])
    await provider.removeExpired()
    await provider.catchUp()
    expect(listener.told).toHaveLength(2)
    await server.command('ACL', 'SETUSER', 'app', '+config|get')
    const { provider: other } = await open(
      createClient({ url: `redis://app:secret@127.0.0.1:${server.port}` }),
    )
    expect(other.server?.loses).toBe('a second')
  })
})

describe('A channel that cannot open says why', () => {
  const failure = async (...parameters: ConstructorParameters<typeof RedisCometStateProvider>) => {
    const [source, options] = parameters
    const error = await open(source, { timeoutSeconds: 5, ...options }).catch((error: unknown) => error)
    return (error as Error).message
  }

  test('when nobody listens, and opens when the server is there', async () => {
    const server = await startServer()
    const { url, port } = server
    await server.kill()
    const provider = new RedisCometStateProvider(createClient({ url }), { timeoutSeconds: 0.3 })
    opened.push(provider)
    const listener = new RecordingListener()
    const text = `Redis, 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`
    await expect(provider.open('chat', listener, AMPLE_RETENTION)).rejects.toThrow(text)
    await server.restart()
    await provider.open('chat', listener, AMPLE_RETENTION)
    await provider.append([send()])
  })

  test('when the password is missing or wrong, which it does not repeat', async () => {
    const { port } = await startServer({ config: { requirepass: 'right' } })
    expect(await failure(createClient({ url: `redis://127.0.0.1:${port}` }))).toMatch(/wants a password/)
    const wrong = await failure(createClient({ url: `redis://:wrong-secret@127.0.0.1:${port}` }))
    expect(wrong).toMatch(/password is wrong/)
    expect(wrong).not.toMatch(/wrong-secret/)
    await open(createClient({ url: `redis://:right@127.0.0.1:${port}` }))
  })

  test('when the server is a replica, or a node of a cluster', async () => {
    const [primary, replica] = [await startServer(), await startServer()]
    await replica.replicaOf(primary)
    expect(await failure(createClient({ url: replica.url }))).toMatch(/is a replica/)
    const node = await startServer({ config: { 'cluster-enabled': 'yes' } })
    expect(await failure(createClient({ url: node.url }))).toMatch(/Redis Cluster/)
  })

  test('when what it is given is no client of one server, or an option is none', () => {
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
    const cluster = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] })
    for (const wrong of [sentinel, cluster, 'redis://127.0.0.1', null, {}] as never[]) {
      expect(() => new RedisCometStateProvider(wrong)).toThrow(TypeError)
    }
    for (const wrong of [
      { prefix: '{a}' },
      { prefix: '' },
      { timeoutSeconds: 0 },
      { now: 1 },
      { prefx: 'a' },
    ]) {
      expect(() => new RedisCometStateProvider(createClient(), wrong as never)).toThrow(TypeError)
    }
    return Promise.resolve()
  })

  test('when the channel was written by a newer version', async () => {
    const server = await startServer()
    await server.command('HSET', '{koa-comet:chat}:channel', 'version', '9')
    expect(await failure(createClient({ url: server.url }))).toMatch(/newer koa-comet/)
  })
})

describe('The app’s own client', () => {
  test('is neither connected nor closed, and its options hold: database, key prefix, name', async () => {
    const server = await startServer()
    const client = createClient({
      url: `${server.url}/3`,
      keyPrefix: 'shop:',
      name: 'shop',
      pingInterval: 10,
    })
    client.on('error', () => {})
    const { provider } = await open(client, { prefix: 'comet' })
    expect([client.isOpen, client.isReady]).toEqual([false, false])
    await client.connect()
    await provider.append([send()])
    const { length } = String(await server.command('CLIENT', 'LIST')).match(/db=3 /g) ?? []
    expect(length).toBe(3)
    await server.command('SELECT', '3')
    const keys = (await server.command('KEYS', '*')) as string[]
    expect(keys.filter((key) => !key.startsWith('shop:{comet:chat}:'))).toEqual([])
    expect(keys.length).toBeGreaterThan(0)
    await provider.close()
    expect(await client.ping()).toBe('PONG')
    const list = String(await server.command('CLIENT', 'LIST'))
    expect(list.match(/name=shop/g)).toHaveLength(1)
    client.destroy()
  })

  test('may have settings that replies would not fit: they are its own', async () => {
    const server = await startServer()
    const { provider, listener } = await open(
      createClient({
        url: server.url,
        RESP: 3,
        clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' },
        commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      }),
    )
    await provider.append([initialise('ann'), send()])
    await provider.catchUp()
    expect(listener.told).toMatchObject([
      { kind: 'initialise', publicToken: 'ann' },
      { kind: 'message', contents: '"hello"' },
    ])
  })

  test('may give up connections on which nothing comes: those that wait for news stay', async () => {
    const server = await startServer()
    const socketTimeout = 50
    const { listener } = await open(createClient({ url: server.url, socket: { socketTimeout } }))
    const connections = async () => String(await server.command('CLIENT', 'LIST')).match(/\bid=\d+/g)
    const before = await connections()
    // Another one, which is given up.
    const client = createClient({ url: server.url, socket: { socketTimeout, reconnectStrategy: false } })
    const givenUp = new Promise((resolve) => client.on('error', resolve))
    await client.connect()
    await givenUp
    expect(await connections()).toEqual(before)
    expect(listener.isAvailable).toBe(true)
  })

  test('may be given by a function, which is asked for each connection: so it follows a failover', async () => {
    const [first, second] = [await startServer(), await startServer()]
    let primary = first
    let asked = 0
    const { provider, listener } = await open(async () => {
      asked += 1
      return createClient({ url: primary.url })
    })
    expect(asked).toBe(2)
    const { epoch } = listener.log
    primary = second
    await first.kill()
    await eventually(() => listener.log.epoch !== epoch)
    await provider.append([send()])
    expect(asked).toBeGreaterThanOrEqual(4)
  })

  test('has to be without a key prefix if a function gives it: it would not be known in time', async () => {
    const server = await startServer()
    const source = () => createClient({ url: server.url, keyPrefix: 'shop:' })
    const error = await open(source).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toMatch(/keyPrefix \('shop:'\): use the option prefix/)
  })

  test('subscribes to new passwords once for each connection there is, however many were lost', async () => {
    const server = await startServer()
    const credentials = { username: 'default', password: '' }
    let subscriptions = 0
    const subscribe = () => {
      subscriptions += 1
      const dispose = () => {
        subscriptions -= 1
      }
      return Promise.resolve([credentials, { dispose }] as const)
    }
    const credentialsProvider = {
      type: 'streaming-credentials-provider',
      subscribe,
      onReAuthenticationError: () => {},
    }
    const { provider } = await open(createClient({ url: server.url, credentialsProvider } as never))
    const before = subscriptions
    for (let loss = 0; loss < 5; loss++) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await provider.append([send()])
      await provider.catchUp()
    }
    expect(subscriptions).toBe(before)
    await provider.close()
    expect(subscriptions).toBe(0)
  })

  test('leaves nothing behind that was opened: also of a provider that never came to open', async () => {
    const server = await startServer()
    const { provider } = await open(createClient({ url: server.url }))
    await provider.close()
    const late = new RedisCometStateProvider(createClient({ url: server.url }))
    const opening = late.open('chat', new RecordingListener(), AMPLE_RETENTION)
    await late.close()
    await expect(opening).rejects.toThrow()
    // Only who asks is connected in the end.
    const connected = async () =>
      String(await server.command('CLIENT', 'LIST'))
        .trim()
        .split('\n').length
    while ((await connected()) > 1) await new Promise(setImmediate)
  })
})

describe('Memory of the server', () => {
  test('is bounded by the retention, and full memory refuses what is new, until there is room', async () => {
    const server = await startServer()
    const provider = new RedisCometStateProvider(createClient({ url: server.url }))
    opened.push(provider)
    const listener = new RecordingListener()
    await provider.open('chat', listener, { seconds: 600, messages: 100, bytes: 1_000_000 })
    for (let count = 0; count < 20; count++) await provider.append(Array.from({ length: 50 }, () => send()))
    expect(await server.command('XLEN', '{koa-comet:chat}:log')).toBe(100)
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    await expect(provider.append([send('Full')])).rejects.toThrow(/memory is full/)
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    await provider.append([send('Room')])
    await provider.catchUp()
    expect(listener.told.at(-1)).toMatchObject({ name: 'Room' })
    expect(listener.told.some((entry) => entry.kind === 'message' && entry.name === 'Full')).toBe(false)
  })

  test('is given back by sweeps also while it is full: of clients in groups, and of the log', async () => {
    const server = await startServer()
    let nowMs = Date.now()
    const provider = new RedisCometStateProvider(createClient({ url: server.url }), { now: () => nowMs })
    opened.push(provider)
    await provider.open('chat', new RecordingListener(), { ...AMPLE_RETENTION, seconds: 5 })
    await provider.append([initialiseAs('ann', { groups: ['room'] }, { leaseSeconds: 1 }), send(), send()])
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    nowMs += 3000
    const removed = await provider.removeExpired()
    expect(removed.map(({ client, reason }) => [client.publicToken, reason])).toEqual([['ann', 'idle']])
    expect(await server.command('XLEN', '{koa-comet:chat}:log')).toBe(7)
    // Time goes on, though nobody is to be removed.
    for (let sweep = 0; sweep < 2; sweep++) {
      nowMs += 5000
      await provider.removeExpired()
    }
    expect(await server.command('XLEN', '{koa-comet:chat}:log')).toBe(0)
  })
})
