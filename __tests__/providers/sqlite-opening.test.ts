import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { hashOf, send } from '../../providers/contract/operations.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { checkVersion } from '../../providers/sqlite/database-file.ts'
import { pretend } from './sqlite-gets.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(disposeStores)

function create(fileName: unknown, options?: unknown): SqliteCometStateProvider {
  return new SqliteCometStateProvider(fileName as string, options as object)
}

describe('An SqliteCometStateProvider is not created', () => {
  test.each([
    ['a number', 1, 'not 1'],
    ['nothing', undefined, 'not undefined'],
    ['an empty name', '', 'not ""'],
    ['a memory database', ':memory:', 'not ":memory:"'],
    ['a URI', 'file:app.db?mode=ro', 'not "file:app.db?mode=ro"'],
    ['a URL', new URL('file:///app.db'), 'not "file:///app.db"'],
    ['a name with space after it', 'app.db ', 'a path without space around it'],
    ['a name with space before it', ' :memory:', 'a path without space around it'],
  ])('for %s instead of a path', (_, fileName, text) => {
    expect(() => create(fileName)).toThrow(TypeError)
    expect(() => create(fileName)).toThrow(text)
  })

  test.each([
    ['an unknown option', { sync: 'full' }, "Unknown option 'sync'. The options are: durability, followMs,"],
    ['options that are no object', null, 'The options must be an object, not null'],
    ['options that are a text', 'full', 'The options must be an object, not "full"'],
    [
      'a durability it does not know',
      { durability: 'off' },
      "durability must be 'full' or 'normal', not \"off\"",
    ],
    ['no durability', { durability: null }, 'not null'],
    ['a period of nothing', { followMs: 0 }, 'followMs must be a number from 1 to 60,000, not 0'],
    [
      'a period that is no number',
      { followMs: '20' },
      'followMs must be a number from 1 to 60,000, not "20"',
    ],
    ['a period of NaN', { followMs: Number.NaN }, 'followMs must be'],
    ['a lock timeout of nothing', { lockTimeoutSeconds: 0 }, 'lockTimeoutSeconds must be a number above 0'],
    ['a lock timeout that is no number', { lockTimeoutSeconds: '5' }, 'lockTimeoutSeconds must be a number'],
    ['a lock timeout without end', { lockTimeoutSeconds: Number.POSITIVE_INFINITY }, 'at most 600'],
    ['a number of processes', { processes: 2 }, "processes must be 'one' or 'many', not 2"],
    ['a clock that is none', { now: 0 }, 'now must be a function, not 0'],
  ])('with %s', (_, options, text) => {
    expect(() => create('app.db', options)).toThrow(TypeError)
    expect(() => create('app.db', options)).toThrow(text)
  })

  test('but is for options that are undefined, which stand for their defaults', () => {
    const options = { durability: undefined, followMs: undefined, processes: undefined, now: undefined }
    const { supports } = create('app.db', options)
    expect(supports).toMatchObject({
      processes: 'many',
      durable: true,
      followDelayMs: 20,
      transactions: true,
    })
    expect(readdirSync('.')).not.toContain('app.db')
  })

  test('but with others says what it then supports', () => {
    const { supports } = create('app.db', { durability: 'normal', followMs: 5, processes: 'one' })
    expect(supports).toMatchObject({ processes: 'one', durable: false, followDelayMs: 5, transactions: true })
  })
})

describe('An SqliteCometStateProvider', () => {
  test('does nothing before it is open, nor after it was closed', async () => {
    const store = createStore()
    const { provider } = store.node()
    const refuseAll = async () => {
      const calls = [
        provider.append([send()]),
        provider.catchUp(),
        provider.getClient(hashOf('ann')),
        provider.getClients()[Symbol.asyncIterator]().next(),
        provider.renewLeases([]),
        provider.removeExpired(),
      ]
      for (const call of calls) await expect(call).rejects.toThrow(/open\(\) has to come before/)
      expect(() => provider.sendWithin!({}, send())).toThrow(/open\(\) has to come before/)
    }
    await refuseAll()
    await provider.open('chat', new RecordingListener(), AMPLE_RETENTION)
    await provider.close()
    await refuseAll()
  })

  test('is not opened twice, and the first opening stays', async () => {
    const store = createStore()
    const node = store.node()
    const open = () => node.provider.open('chat', node.listener, AMPLE_RETENTION)
    const opening = open()
    await expect(open()).rejects.toThrow(/open already: close\(\) has to come before/)
    await opening
    await expect(open()).rejects.toThrow('open already')
    await node.append(send('Here'))
    expect(await node.told()).toHaveLength(1)
    node.listener.assertSound()
  })

  test('can be opened again at once when it was closed amid an opening, and then works', async () => {
    const { provider, listener } = createStore().node()
    const opening = provider.open('chat', listener, AMPLE_RETENTION).catch(() => {})
    const closing = provider.close()
    const again = new RecordingListener()
    await provider.open('chat', again, AMPLE_RETENTION)
    await Promise.all([opening, closing])
    await provider.append([send('Again')])
    expect(again.told).toHaveLength(1)
    await provider.close()
  })

  test('can be tried again when an opening has failed, without close', async () => {
    const store = createStore()
    const { provider, listener } = store.node({ lockTimeoutSeconds: 0.05 })
    const app = store.connect()
    app.pragma('journal_mode = WAL')
    app.exec('CREATE TABLE t (x); BEGIN IMMEDIATE')
    await expect(provider.open('chat', listener, AMPLE_RETENTION)).rejects.toThrow(
      'in the way for longer than 0.05 s',
    )
    app.exec('ROLLBACK')
    await provider.open('chat', listener, AMPLE_RETENTION)
    expect((await provider.append([send()]))[0]).toHaveProperty('id')
  })

  test('waits to open until the write lock is free', async () => {
    const store = createStore()
    const { provider, listener } = store.node()
    const app = store.connect()
    app.pragma('journal_mode = WAL')
    app.exec('CREATE TABLE t (x); BEGIN IMMEDIATE')
    const opening = provider.open('chat', listener, AMPLE_RETENTION)
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    expect(listener.calls).toBe(0)
    app.exec('ROLLBACK')
    await opening
    expect(listener.calls).toBe(1)
  })

  test('opens beside many others that open a new file at once', async () => {
    const store = createStore()
    const names = ['one', 'two', 'three']
    const nodes = await Promise.all(
      Array.from({ length: 24 }, (_, index) => store.open({ name: names[index % 3]! })),
    )
    await Promise.all(nodes.map((node) => node.append(send())))
    for (const node of nodes) expect(await node.told()).toHaveLength(8)
    const channels = store.connect().prepare('SELECT count(*) FROM comet_channels').pluck().get()
    expect(channels).toBe(3)
  })
})

describe('An SQLite that can corrupt a file', () => {
  test.each(['3.51.2', '3.50.4', '3.7.0', '2.99.99', '3.51'])(
    '%s is refused for several processes',
    (version) => {
      expect(() => checkVersion(version, 'many')).toThrow(`SQLite ${version} can corrupt`)
      expect(() => checkVersion(version, 'many')).toThrow(/better-sqlite3 12\.11 or newer.*processes: 'one'/)
    },
  )

  test('is found out when a file is opened', async () => {
    pretend('sqlite_version()', '3.51.2')
    await expect(createStore().open()).rejects.toThrow('SQLite 3.51.2 can corrupt')
    await createStore().open({ processes: 'one' })
    jest.restoreAllMocks()
  })

  test.each(['3.51.2', '3.7.0'])('%s is accepted for one', (version) => {
    expect(() => checkVersion(version, 'one')).not.toThrow()
  })

  test.each(['3.51.3', '3.51.10', '3.53.2', '3.100.0', '4.0.0'])('is not %s', (version) => {
    expect(() => checkVersion(version, 'many')).not.toThrow()
  })
})
