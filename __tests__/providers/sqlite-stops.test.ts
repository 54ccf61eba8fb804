import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import Database from 'better-sqlite3'
import type { Done, Entry } from 'koa-comet'
import {
  claim,
  hashOf,
  initialise,
  initialiseAs,
  join,
  renewal,
  send,
  stopTopics,
} from '../../providers/contract/operations.ts'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { bundled, type Program } from './sqlite-child-process.ts'
import { commitsIn } from './sqlite-connections.ts'
import { ProviderProcess } from './sqlite-processes.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'
import { mostInOneTurn } from './sqlite-turns.ts'

const COUNT = 1000
const NAMES = Array.from({ length: COUNT }, (_, index) => `client-${String(index).padStart(4, '0')}`)

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

/** Clients that are all in the group `g`, and of the user `u`. */
function crowd(names = NAMES) {
  const limits = { maxClients: 10_000, maxClientsPerUser: 10_000 }
  return names.map((name) => initialiseAs(name, { groups: ['g'], userId: 'u' }, limits))
}

function stoppedBy(done: Done | undefined): string[] {
  return done!.stopped!.map(({ publicToken }) => publicToken).sort()
}

/** How many rows each table has that knows of clients or stops. */
function countsIn(store: SqliteStore): Record<string, number> {
  const app = store.connect()
  const tables = ['clients', 'members', 'claims', 'stops', 'aside']
  const count = (table: string) =>
    app.prepare<[], number>(`SELECT count(*) FROM comet_1_${table}`).pluck().get()!
  return Object.fromEntries(tables.map((table) => [table, count(table)]))
}

const NOTHING = { clients: 0, members: 0, claims: 0, stops: 0, aside: 0 }

/** Lets the disk fail at the second step of the next stop: the first is done by then. */
async function stopHalfway(node: ProviderNode, topics: readonly string[]): Promise<void> {
  const { exec } = Database.prototype
  let begun = 0
  const spy = jest.spyOn(Database.prototype, 'exec').mockImplementation(function (
    this: Database.Database,
    sql,
  ) {
    if (sql === 'BEGIN IMMEDIATE') begun += 1
    if (begun === 2) throw new Database.SqliteError('disk', 'SQLITE_IOERR_WRITE')
    return exec.call(this, sql)
  })
  // What is removed by then is told of, and the rest is the next sweep's.
  const [outcome] = await node.provider.append([stopTopics(topics)])
  expect(stoppedBy(outcome as Done)).toHaveLength(100)
  spy.mockRestore()
}

describe('A stop of 1,000 clients', () => {
  test.each(['g:g', 'u:u', '*'])(
    'by %s is many commits, with turns for others between them',
    async (topic) => {
      const store = createStore()
      const node = await store.open()
      await node.append(...crowd())
      const before = commitsIn(store.file)
      let fed = 0
      node.listener.onEntries = (entries) => {
        fed += entries.length
      }
      let done: Done | undefined
      const most = await mostInOneTurn(
        () => fed,
        async () => {
          ;[done] = await node.append(stopTopics([topic]))
        },
      )
      expect(stoppedBy(done)).toEqual(NAMES)
      expect(commitsIn(store.file) - before).toBeGreaterThanOrEqual(10)
      expect(most).toBeLessThanOrEqual(200)
      expect(countsIn(store)).toEqual(NOTHING)
      const [stop, ...leaves] = (await node.told()).slice(2 * COUNT)
      expect(stop).toMatchObject({ kind: 'stop', id: done!.id, topics: [topic], except: [] })
      expect(leaves.map((entry) => entry.kind === 'leave' && entry.client.publicToken)).toEqual(NAMES)
    },
  )

  test('spares whom it excepts, and whoever comes while it is carried out', async () => {
    const store = createStore()
    const [node, other] = [await store.open(), await store.open()]
    await node.append(...crowd(), initialise('outside', { maxClients: 10_000 }))
    const stopped = node.append(stopTopics(['g:g'], [NAMES[7]!, NAMES[950]!]), send('After'))
    const isStopped = async () => (await other.told()).some(({ kind }) => kind === 'stop')
    while (!(await isStopped())) await new Promise(setImmediate)
    await other.append(join('outside', 'g'))
    const [done] = await stopped
    expect(stoppedBy(done)).toEqual(NAMES.filter((name) => name !== NAMES[7] && name !== NAMES[950]))
    expect(await other.listed(['g:g'])).toEqual([NAMES[7], NAMES[950], 'outside'])
  })

  test('names each client once, whoever sweeps meanwhile', async () => {
    const store = createStore()
    const [node, other] = [await store.open(), await store.open()]
    await node.append(...crowd())
    const stopped = node.append(stopTopics(['*']))
    const swept: string[] = []
    let isDone = false
    const done = stopped.finally(() => {
      isDone = true
    })
    while (!isDone) {
      await new Promise(setImmediate)
      swept.push(...(await other.sweep()))
    }
    expect([...stoppedBy((await done)[0]), ...swept].sort()).toEqual(NAMES)
    expect(countsIn(store)).toEqual(NOTHING)
  })
})

describe('A stop that is cut off', () => {
  test('has hit all of its audience, on every node', async () => {
    const store = createStore()
    const [node, other] = [await store.open(), await store.open()]
    const clients = (await node.append(...crowd())).map(({ client }) => client!)
    await node.append(initialise('outside', { maxClients: 10_000 }))
    await stopHalfway(node, ['g:g'])
    const { clients: left } = countsIn(store)
    expect(left).toBeGreaterThan(COUNT / 2)
    for (const each of [node, other]) {
      expect(await each.listed()).toEqual(['outside'])
      expect(await each.listed(['u:u', 'g:g', `c:${NAMES[999]}`])).toEqual([])
      expect(await each.provider.getClient(hashOf(NAMES[999]!))).toBe('stopped')
      expect(await each.renew(renewal(clients[999]!))).toBe('gone')
      expect(await each.claim(claim(clients[999]!, 'k', 'run'))).toEqual(['gone'])
      for (const operation of [
        send('Chat', { receiver: NAMES[999]! }),
        join(NAMES[999]!, 'h'),
        { kind: 'update', publicToken: NAMES[999]!, displayName: 'X' } as const,
        { kind: 'remove', publicToken: NAMES[999]!, generation: clients[999]!.generation } as const,
      ]) {
        expect(await each.refusal(operation)).toBe('COMET_CLIENT_DOES_NOT_EXIST')
      }
      expect(await each.refusal(initialise('new', { privateTokenHash: hashOf(NAMES[999]!) }))).toBe(
        'COMET_CLIENT_ALREADY_EXISTS',
      )
    }
  })

  test('has hit them for the transactions of the app as well', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(...crowd(), initialise('outside', { maxClients: 10_000 }))
    await stopHalfway(node, ['g:g'])
    const app = store.connect()
    app.pragma('synchronous = FULL')
    app.exec('BEGIN IMMEDIATE')
    const sendTo = (receiver: string) => node.provider.sendWithin!(app, send('Chat', { receiver }))
    expect(() => sendTo(NAMES[999]!)).toThrow(
      expect.objectContaining({ code: 'COMET_CLIENT_DOES_NOT_EXIST' }),
    )
    const sent = sendTo('outside')
    app.exec('COMMIT')
    expect(await sent).toMatchObject({ id: (await node.told()).at(-1)!.id })
  })

  test('is carried out by the next sweep, which names each of the rest once', async () => {
    const store = createStore()
    const [node, other] = [await store.open(), await store.open()]
    await node.append(...crowd())
    await stopHalfway(node, ['u:u'])
    const first = NAMES.length - countsIn(store).clients!
    const removed = (
      await Promise.all([node.provider.removeExpired(), other.provider.removeExpired()])
    ).flat()
    expect(removed.map(({ client }) => client.publicToken).sort()).toEqual(NAMES.slice(first))
    expect(new Set(removed.map(({ reason }) => reason))).toEqual(new Set(['stopped']))
    expect(removed[0]!.client.groups).toEqual(['g'])
    expect(countsIn(store)).toEqual(NOTHING)
    expect(await other.provider.removeExpired()).toEqual([])
    for (const each of [node, other])
      expect(await each.provider.getClient(hashOf(NAMES[999]!))).toBe('stopped')
  })

  test('leaves its public tokens, and its places, to others at once, and names those all the same', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(...crowd())
    await stopHalfway(node, ['*'])
    const { clients: left } = countsIn(store)
    const limits = { maxClients: left!, maxClientsPerUser: 1 }
    const itsToken = { ...limits, privateTokenHash: hashOf('new') }
    const bearer = await node.initialise(initialiseAs(NAMES[999]!, { userId: 'u' }, itsToken))
    await node.append(initialise('second', limits), initialise('third', limits))
    const ofUser = initialiseAs('fourth', { userId: 'u' }, { maxClientsPerUser: 1 })
    expect(await node.refusal(ofUser)).toBe('COMET_USER_HAS_TOO_MANY_CLIENTS')
    expect(await node.renew(renewal(bearer))).toBe('kept')
    expect(countsIn(store)).toMatchObject({ clients: left, aside: 3 })
    expect(await node.sweep()).toEqual(NAMES.slice(COUNT - left!))
    expect(await node.listed()).toEqual([NAMES[999], 'second', 'third'])
    expect(await node.refusal(initialise('fourth', { maxClients: 3 }))).toBe('COMET_TOO_MANY_CLIENTS')
    expect(await node.record(hashOf('new'))).toMatchObject({ client: { publicToken: NAMES[999] } })
    expect(countsIn(store)).toEqual({ ...NOTHING, clients: 3 })
  })

  test('removes as stopped also those whose lease ran out before', async () => {
    const store = createStore()
    const node = await store.open()
    await node.sweep()
    const brief = crowd().map((operation) => ({ ...operation, leaseSeconds: 5 }))
    await node.append(...brief)
    await stopHalfway(node, ['*'])
    const { clients: left } = countsIn(store)
    store.nowMs += 6000
    const removed = await node.provider.removeExpired()
    expect(removed.map(({ client }) => client.publicToken).sort()).toEqual(NAMES.slice(COUNT - left!))
    expect(removed.filter(({ reason }) => reason !== 'stopped')).toEqual([])
    expect(countsIn(store)).toEqual(NOTHING)
  })
})

describe('A stop whose process is killed', () => {
  let program: Program

  beforeAll(async () => {
    program = await bundled('sqlite-process.ts')
  })

  afterAll(() => program.remove())

  test('is carried out by another, and each client is told of once', async () => {
    const store = createStore()
    const dying = await ProviderProcess.start(program, { file: store.file })
    const first = new ProviderNode(dying, new RecordingListener())
    const other = await store.open({ now: Date.now })
    let entries: readonly Entry[] = []
    try {
      await first.provider.open('chat', first.listener, AMPLE_RETENTION)
      for (let begin = 0; begin < COUNT; begin += 200)
        await first.append(...crowd(NAMES.slice(begin, begin + 200)))
      await dying.lockAfterStop()
      const stopped = first.append(stopTopics(['g:g'])).catch((error: Error) => error)
      while (!entries.some(({ kind }) => kind === 'stop')) {
        await new Promise(setImmediate)
        entries = await other.told()
      }
      await dying.kill()
      expect(await stopped).toBeInstanceOf(Error)
    } finally {
      await dying.kill()
    }
    const left = countsIn(store).clients!
    expect(left).toBeGreaterThan(COUNT / 2)
    expect(await other.listed()).toEqual([])
    const removed = await other.provider.removeExpired()
    expect(removed.map(({ client }) => client.publicToken).sort()).toEqual(NAMES.slice(COUNT - left))
    expect(new Set(removed.map(({ reason }) => reason))).toEqual(new Set(['stopped']))
    expect(await other.provider.removeExpired()).toEqual([])
    expect(countsIn(store)).toEqual(NOTHING)
    const leaves = (await other.told()).filter(({ kind }) => kind === 'leave')
    expect(leaves).toHaveLength(COUNT)
  })
})
