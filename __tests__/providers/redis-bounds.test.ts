import { afterAll, afterEach, describe, expect } from '@jest/globals'
import { MAX_CLAIMS_PER_CLIENT } from '../../lib/comet-claim.ts'
import {
  claim,
  hashOf,
  initialise,
  initialiseAs,
  join,
  leave,
  reply,
  send,
  stop,
} from '../../providers/contract/operations.ts'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import { argumentsOf } from '../../providers/redis/operation-fields.ts'
import { SCRIPTS } from '../../providers/redis/scripts.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import {
  createStore,
  disposeSharedServer,
  disposeStores,
  type OpenOptions,
} from '../support/redis/redis-store.ts'
import { ScriptCaller } from '../support/redis/script-caller.ts'

/** What a server keeps, for how long, and how much of it at most. */

afterEach(disposeStores)
afterAll(disposeSharedServer)

const HOUR_MS = 3_600_000

async function openChannel(options: OpenOptions = {}) {
  const store = await createStore()
  const node = await store.open(options)
  const key = (part: string) => `{${store.prefix}:chat}:${part}`
  return {
    store,
    node,
    ask: async (command: string, part: string) => Number(await store.server.command(command, key(part))),
    /** As if so much more had been kept there already, all of it for a long time to come; the row says how much. */
    async fill(count: number, field: string, sortedSet: string, hash?: string) {
      const script = `for i = 1, ${count} do
        redis.call('ZADD', KEYS[2], 9e15, 'filling ' .. i)
        if KEYS[3] then redis.call('HSET', KEYS[3], 'filling ' .. i, i) end
      end
      redis.call('HINCRBY', KEYS[1], '${field}', ${count})`
      const keys = ['channel', sortedSet, ...(hash ? [hash] : [])].map(key)
      await store.server.command('EVAL', script, String(keys.length), ...keys)
    },
  }
}

async function claimed(node: ProviderNode, key: string, more: Parameters<typeof claim>[3] = {}) {
  const { client } = await node.record(hashOf('ann'))
  const asked = claim(client, key, `run of ${key}`, more)
  await node.claim(asked)
  return asked
}

describe('The log', () => {
  test('keeps its newest entry, also if that alone is more than is kept', async () => {
    const { node, ask } = await openChannel({ retention: { bytes: 100 } })
    await node.append(send('Long', { contents: JSON.stringify('x'.repeat(1000)) }))
    expect(await ask('XLEN', 'log')).toBe(1)
    expect(await node.told()).toMatchObject([{ name: 'Long' }])
  })

  test('is emptied of all that is old by one sweep, however much that is', async () => {
    const { store, node, ask } = await openChannel({ retention: { seconds: 60 } })
    for (let times = 0; times < 8; times++) {
      await node.append(...Array.from({ length: 250 }, () => send()))
    }
    await node.sweep()
    store.nowMs += 5000
    await node.sweep()
    for (let seconds = 0; seconds < 60; seconds += 5) {
      store.nowMs += 5000
      if (seconds < 55) expect(await ask('XLEN', 'log')).toBe(2001)
      await node.sweep()
    }
    expect(await ask('XLEN', 'log')).toBe(0)
  })
})

describe('A script', () => {
  /** Each adds 51 entries. */
  const groups = Array.from({ length: 50 }, (_, index) => `group-${index}`)
  const members = (names: string) =>
    [...names].map((name) => initialiseAs(name, { groups }, { leaseSeconds: 1 }))

  test('does what adds five hundred entries, and leaves the rest to the next', async () => {
    const { store, node } = await openChannel()
    const args = members('abcdefghijklmnopqrst').flatMap(argumentsOf)
    const reply = await new ScriptCaller(store).call(SCRIPTS.append, {}, ...args)
    const [, , outcomes] = reply as [string, number, unknown[]]
    expect(outcomes.length).toBe(10)
    expect((await node.listed()).join('')).toBe('abcdefghij')
  })

  test('sweeps away those whose ends add five hundred entries, and says that there are more', async () => {
    const { store, node } = await openChannel()
    await node.append(...members('abcdefghijklmnopqrst'))
    store.nowMs += 2000
    const [removed, more] = (await new ScriptCaller(store).call(SCRIPTS.sweep, {}, 'first')) as [[], number]
    expect([removed.length, more]).toEqual([10, 1])
    expect((await node.sweep()).length).toBe(10)
  })
})

describe('A key', () => {
  test('is known while nobody sweeps, for however long that is', async () => {
    const { store, node } = await openChannel({ retention: { seconds: 60 } })
    const first = await node.appendOne(send('Once', { key: 'k' }))
    store.nowMs += HOUR_MS
    expect(await node.appendOne(send('Once', { key: 'k' }))).toBe(first)
  })

  test('is over when its time is, also before the sweep that forgets it', async () => {
    const { store, node } = await openChannel({ retention: { seconds: 5 } })
    const first = await node.appendOne(send('Once', { key: 'k' }))
    store.nowMs += 4999
    expect(await node.appendOne(send('Once', { key: 'k' }))).toBe(first)
    store.nowMs += 1
    expect(await node.appendOne(send('Once', { key: 'k' }))).toBeGreaterThan(first)
  })

  test('takes the place of the oldest when there are a hundred thousand', async () => {
    const { node, ask, fill } = await openChannel()
    await node.append(send('Oldest', { key: 'k' }))
    await fill(99_999, 'keys', 'key-times', 'key-ids')
    await node.append(send('Newest', { key: 'l' }))
    expect(await ask('ZCARD', 'key-times')).toBe(100_000)
    expect(await ask('HLEN', 'key-ids')).toBe(100_000)
    const next = await node.appendOne(send('Oldest', { key: 'k' }))
    await node.provider.catchUp()
    expect(node.listener.head).toBe(next)
  })
})

describe('Whom somebody has stopped', () => {
  test('takes the place of the oldest when a hundred thousand are known', async () => {
    const { node, ask, fill } = await openChannel()
    await node.append(initialise('ann'), stop('ann'), initialise('bob'))
    await fill(99_999, 'stopped', 'stopped')
    await node.append(stop('bob'))
    expect(await ask('ZCARD', 'stopped')).toBe(100_000)
    expect(await node.provider.getClient(hashOf('ann'))).toBeUndefined()
    expect(await node.provider.getClient(hashOf('bob'))).toBe('stopped')
  })

  test('is known until its time is over, also before the sweep that forgets it', async () => {
    const { store, node } = await openChannel({ retention: { seconds: 5 } })
    await node.append(initialise('ann'), stop('ann'))
    store.nowMs += 4999
    expect(await node.provider.getClient(hashOf('ann'))).toBe('stopped')
    store.nowMs += 1
    expect(await node.provider.getClient(hashOf('ann'))).toBeUndefined()
  })
})

describe('A membership that has ended', () => {
  test('is forgotten with the window, which says up to where: nothing was sent to it with the id of its end', async () => {
    const { node } = await openChannel({ retention: { messages: 1 } })
    await node.append(initialise('ann'), join('ann', 'room'))
    const left = await node.appendOne(leave('ann', 'room'))
    await node.append(send(), send())
    await node.append(join('ann', 'hall'), leave('ann', 'hall'))
    const { memberships, lostThrough } = await node.record(hashOf('ann'))
    expect(memberships.map(({ group }) => group)).toEqual(['hall'])
    expect(lostThrough).toBe(left - 1)
  })
})

describe('Whoever a topic addresses', () => {
  test('is found, whatever its token begins and ends with', async () => {
    const { node } = await openChannel()
    const tokens = ['--', '0', 'A', '__', 'a', 'zzzzzzzz', '~~'].sort()
    await node.append(...tokens.map((token) => initialiseAs(token, { userId: 'ann', groups: ['room'] })))
    expect(await node.listed(['u:ann'])).toEqual(tokens)
    expect(await node.listed(['g:room'])).toEqual(tokens)
    const limited = { maxClientsPerUser: tokens.length }
    expect(await node.refusal(initialiseAs('next', { userId: 'ann' }, limited))).toBe(
      'COMET_USER_HAS_TOO_MANY_CLIENTS',
    )
  })
})

describe('A claim', () => {
  test('goes with its reply when its time is over and the client asks for another one', async () => {
    const { store, node, ask } = await openChannel()
    await node.append(initialise('ann'))
    const first = await claimed(node, 'k', { seconds: 5 })
    await node.provider.settle([reply(first, '"done"')])
    expect(await ask('HLEN', 'replies')).toBe(1)
    store.nowMs += 5000
    await claimed(node, 'l')
    expect(await ask('HLEN', 'replies')).toBe(0)
  })

  test('goes with its reply when the client has too many', async () => {
    const { node, ask } = await openChannel()
    await node.append(initialise('ann'))
    for (let index = 0; index <= MAX_CLAIMS_PER_CLIENT; index++) {
      await node.provider.settle([reply(await claimed(node, `k${index}`), '"done"')])
    }
    expect(await ask('HLEN', 'replies')).toBe(MAX_CLAIMS_PER_CLIENT)
  })

  test('is not settled any more when its time is over', async () => {
    const { store, node, ask } = await openChannel()
    await node.append(initialise('ann'))
    const late = await claimed(node, 'k', { seconds: 5 })
    store.nowMs += 5000
    await node.provider.settle([reply(late, '"late"')])
    expect(await ask('HLEN', 'replies')).toBe(0)
  })

  test('does not run on while nobody sweeps, but is known', async () => {
    const { store, node } = await openChannel()
    await node.append(initialise('ann'))
    const crashed = await claimed(node, 'k', { runSeconds: 60 })
    store.nowMs += HOUR_MS
    expect(await node.claim({ ...crashed, run: 'another' })).toEqual(['unknown'])
  })

  test('loses its reply to newer ones above 16 MiB in all', async () => {
    const { node, ask } = await openChannel()
    await node.append(initialise('ann'))
    const text = JSON.stringify('x'.repeat(1024 * 1024 - 2))
    const asked = []
    for (let index = 0; index < 18; index++) {
      asked.push(await claimed(node, `k${index}`))
      await node.provider.settle([reply(asked[index]!, text)])
    }
    expect(await ask('HLEN', 'replies')).toBe(16)
    const again = asked.map((each) => ({ ...each, run: 'another' }))
    const outcomes = await node.claim(...again)
    expect(outcomes.slice(0, 2)).toEqual(['unknown', 'unknown'])
    expect(outcomes.slice(2)).toEqual(again.slice(2).map(() => ({ reply: text })))
  })
})
