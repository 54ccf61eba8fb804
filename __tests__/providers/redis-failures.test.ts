import { afterAll, afterEach, describe, expect } from '@jest/globals'
import {
  claim,
  hashOf,
  initialise,
  join,
  renewal,
  send,
  stopTopics,
} from '../../providers/contract/operations.ts'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import { eventually } from '../support/eventually.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import type { RedisGate } from '../support/redis/redis-gate.ts'
import { createStore, disposeSharedServer, disposeStores } from '../support/redis/redis-store.ts'

/** Short, since it is waited for, and long enough for a server on a machine that has much to do. */
const TIMEOUT_SECONDS = 1

afterEach(disposeStores)
afterAll(disposeSharedServer)

async function openBehindGate(timeoutSeconds?: number) {
  const store = await createStore()
  const gate = await store.openGate()
  const node = await store.open({ gate, timeoutSeconds })
  return { store, gate, node }
}

/** The next script reaches the server, and its answer does not come back. */
async function losingTheAnswer<T>(gate: RedisGate, work: () => Promise<T>): Promise<T> {
  const cut = gate.cutAfterNextRequest('EVALSHA')
  const [result] = await Promise.all([work(), cut])
  return result
}

const names = (node: ProviderNode) =>
  node.listener.told.flatMap((entry) => (entry.kind === 'message' ? entry.name : []))

test('Renewals are done in their order: a goodbye that has to be asked for again does not undo what came behind it', async () => {
  const store = await createStore()
  const line = await store.openLine()
  const node = await store.open({ gate: line })
  const ann = await node.initialise(initialise('ann'))
  line.refuse(/"goodbye":true/, 'BUSY Redis is busy running a script.', 1)
  const goodbye = renewal(ann, { goodbye: true, seconds: 1 })
  expect(await Promise.all([node.renew(goodbye), node.renew(renewal(ann))])).toEqual(['kept', 'kept'])
  store.nowMs += 2000
  expect(await node.sweep()).toEqual([])
})

describe('When the answer to a write is lost', () => {
  test('the write is asked for again, is done once, and resolves with its id', async () => {
    const { gate, node } = await openBehindGate()
    const [one, other] = await losingTheAnswer(gate, () => node.append(send('One'), send('Other')))
    await node.provider.catchUp()
    expect(names(node)).toEqual(['One', 'Other'])
    expect(node.listener.told.map(({ id }) => id)).toEqual([one!.id, other!.id])
    expect(gate.hits.cutAfterRequest).toBe(1)
  })

  test('a refusal comes all the same, and so does who was stopped', async () => {
    const { gate, node } = await openBehindGate()
    await node.initialise(initialise('ann'))
    expect(await losingTheAnswer(gate, () => node.refusal(initialise('ann')))).toBe(
      'COMET_CLIENT_ALREADY_EXISTS',
    )
    const [{ stopped } = {}] = await losingTheAnswer(gate, () => node.append(stopTopics(['*'])))
    expect(stopped?.map(({ publicToken }) => publicToken)).toEqual(['ann'])
  })

  test('those whom a sweep removed are told of once', async () => {
    const { store, gate, node } = await openBehindGate()
    await node.initialise(initialise('ann', { leaseSeconds: 1 }))
    store.nowMs += 2000
    expect(await losingTheAnswer(gate, () => node.sweep())).toEqual(['ann'])
    expect(await node.sweep()).toEqual([])
  })

  test('also if nobody has answered for as long as a call may take', async () => {
    const { store, gate, node } = await openBehindGate(TIMEOUT_SECONDS)
    await node.append(...['ann', 'bob', 'eve'].map((token) => initialise(token, { leaseSeconds: 1 })))
    store.nowMs += 2000
    gate.dropReplies()
    await expect(node.sweep()).rejects.toThrow()
    gate.mend()
    await eventually(() => node.listener.isAvailable)
    expect(await node.sweep()).toEqual(['ann', 'bob', 'eve'])
    expect(await node.sweep()).toEqual([])
  })

  test('those whom a sweep has removed by then are told of, and the others by the next one', async () => {
    const { store, gate, node } = await openBehindGate(TIMEOUT_SECONDS)
    const tokens = Array.from({ length: 150 }, (_, index) => `client-${index}`)
    await node.append(...tokens.map((token) => initialise(token, { leaseSeconds: 1 })))
    store.nowMs += 2000
    const sweeping = node.sweep()
    await gate.cutAfterNextRequest('$4\r\nnext')
    gate.cut()
    const names = await sweeping
    expect(names).toHaveLength(100)
    gate.mend()
    await eventually(() => node.listener.isAvailable)
    names.push(...(await node.sweep()))
    expect(names.sort()).toEqual(tokens.sort())
  })

  test('those whom a step of a stop removed are told of by a sweep, though nobody has answered for so long', async () => {
    const { gate, node } = await openBehindGate(TIMEOUT_SECONDS)
    const tokens = Array.from({ length: 450 }, (_, index) => `client-${index}`)
    await node.append(...tokens.map((token) => initialise(token)))
    const stopping = node.append(stopTopics(['*']))
    await gate.cutAfterNextRequest('"number":1,')
    await gate.cutAfterNextRequest('"number":1,')
    gate.dropReplies()
    const [outcome] = await stopping
    expect(outcome!.stopped!.length).toBeLessThan(tokens.length)
    gate.mend()
    await eventually(() => node.listener.isAvailable)
    const names = outcome!.stopped!.map(({ publicToken }) => publicToken)
    while (names.length < tokens.length) names.push(...(await node.sweep()))
    expect(names.sort()).toEqual(tokens.sort())
  })

  test('a whole stop of many is carried out, each told of once, though each of its steps is cut', async () => {
    const { gate, node } = await openBehindGate()
    const tokens = Array.from({ length: 450 }, (_, index) => `client-${index}`)
    await node.append(...tokens.map((token) => initialise(token)))
    let isOver = false
    const stopping = node.append(stopTopics(['*'])).finally(() => {
      isOver = true
    })
    // Each step has the next number, and so has its repetition, which comes through.
    for (let step = 1; !isOver; step++) {
      await Promise.race([gate.cutAfterNextRequest(`"number":${step},`), stopping])
    }
    const [outcome] = await stopping
    const names = outcome!.stopped!.map(({ publicToken }) => publicToken)
    // What it had no time for is the sweeps'.
    while (names.length < tokens.length) names.push(...(await node.sweep()))
    expect(names.sort()).toEqual(tokens.sort())
    expect(gate.hits.cutAfterRequest).toBeGreaterThanOrEqual(3)
  })
})

test('A batch of which something cannot be read is refused whole, and nothing of it is done', async () => {
  const { store, node } = await openBehindGate()
  const ann = await node.initialise(initialise('ann'))
  const { epoch } = node.listener.log
  await expect(node.provider.append([send(), join('\ud800', 'room')])).rejects.toThrow(/unicode/)
  const unreadable = claim({ ...ann, publicToken: '\ud800' }, 'k', 'run')
  await expect(node.provider.claim([claim(ann, 'k', 'run'), unreadable])).rejects.toThrow(/unicode/)
  await node.provider.catchUp()
  expect([names(node), await node.listed(), node.listener.log.epoch]).toEqual([[], ['ann'], epoch])
  expect(await store.server.command('HLEN', `{${store.prefix}:chat}:claims`)).toBe(0)
})

describe('What was given up', () => {
  test('is not done any more, however late it reaches the server', async () => {
    const { store, gate, node } = await openBehindGate(TIMEOUT_SECONDS)
    const other = await store.open()
    const ann = await node.initialise(initialise('ann'))
    store.server.freeze()
    const given = await Promise.allSettled([
      node.provider.append([send('Late'), initialise('bob')]),
      node.provider.renewLeases([renewal(ann, { holder: 'late' })]),
      node.provider.removeExpired(),
    ])
    expect(given.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    store.server.thaw()
    await eventually(() => node.listener.isAvailable)
    // Behind it, by the same gate.
    await node.append(send('Next'))
    await other.provider.catchUp()
    expect(names(other)).toEqual(['Next'])
    expect(await other.listed()).toEqual(['ann'])
    expect((await other.record(hashOf('ann'))).holder).toBeUndefined()
    expect(gate.hits.refused).toBe(0)
  })

  test('is refused soon by a server that has hung for as long as a call may take', async () => {
    const store = await createStore()
    const [node, other] = [await store.open({ timeoutSeconds: 4 }), await store.open({ timeoutSeconds: 4 })]
    store.server.freeze()
    await expect(node.append(send())).rejects.toThrow()
    const refused: string[] = []
    async function refusals(who: ProviderNode, name: string, count: number): Promise<void> {
      for (let call = 0; call < count; call++) await expect(who.append(send())).rejects.toThrow()
      refused.push(name)
    }
    // The other one does not know yet that the server hangs, and waits out its time.
    await Promise.all([refusals(other, 'one call', 1), refusals(node, 'four calls', 4)])
    expect(refused).toEqual(['four calls', 'one call'])
  })

  test('is refused at once when the server has been away for as long as a call may take', async () => {
    const { gate, node } = await openBehindGate(TIMEOUT_SECONDS)
    gate.cut()
    await eventually(() => !node.listener.isAvailable)
    await expect(node.append(send())).rejects.toThrow()
    const before = gate.hits.refused
    for (let call = 0; call < 20; call++) {
      await expect(node.provider.getClient('hash')).rejects.toThrow()
    }
    // About one attempt for each, and what the feed tries meanwhile: a call that is patient tries eight times and more.
    expect(gate.hits.refused - before).toBeLessThan(80)
  })
})

describe('A process that stands still for longer than a call may take', () => {
  test('reads the answers that came meanwhile: nothing is rejected, and nobody is told of trouble', async () => {
    // Without a gate, which would stand still as well.
    const node = await (await createStore()).open({ timeoutSeconds: TIMEOUT_SECONDS })
    await node.append(send('Before'))
    const { calls } = node.listener
    const sent = node.append(send('Still'))
    // By then it is written.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    const endsAt = performance.now() + 3000 * TIMEOUT_SECONDS
    while (performance.now() < endsAt);
    await sent
    await node.provider.catchUp()
    expect(names(node)).toEqual(['Before', 'Still'])
    expect(node.listener.calls).toBeLessThanOrEqual(calls + 2)
  })
})

describe('A node that follows', () => {
  test('and is cut off for longer than the retention takes the window anew, and says from where', async () => {
    const { store, gate, node } = await openBehindGate(TIMEOUT_SECONDS)
    const other = await store.open({ retention: { messages: 3 } })
    await other.append(send('Seen'))
    await node.provider.catchUp()
    gate.cut()
    await other.append(...['1', '2', '3', '4', '5'].map((name) => send(name)))
    gate.mend()
    await eventually(() => node.listener.head === other.listener.head)
    expect(names(node)).toEqual(['3', '4', '5'])
    expect(node.listener.log.trimmedThrough).toBe(other.listener.head - 3)
    expect(node.listener.log.epoch).toBe(other.listener.log.epoch)
  })

  test('and is cut off for a moment goes on where it was, and nobody is told', async () => {
    const { store, gate, node } = await openBehindGate()
    const other = await store.open()
    await other.append(send('Before'))
    await node.provider.catchUp()
    const calls = node.listener.calls
    gate.pointTo(store.server.port)
    await other.append(send('After'))
    await eventually(() => node.listener.head === other.listener.head)
    expect(names(node)).toEqual(['Before', 'After'])
    expect(node.listener.calls).toBe(calls + 1)
  })
})
