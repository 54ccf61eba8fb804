import { expect, test } from '@jest/globals'
import type { Operation, Outcome, SendOperation } from '../../lib/comet-state-provider.ts'
import { WriteQueue } from '../../lib/write-queue.ts'
import { appendingProvider, idsFor } from '../support/scripted-provider.ts'

function send(name: string, contents = '1'): SendOperation {
  return { kind: 'send', name, contents, topics: ['*'], except: [] }
}

function namesOf(batch: readonly Operation[] | undefined): string[] {
  return (batch ?? []).map((operation) => (operation.kind === 'send' ? operation.name : operation.kind))
}

const limit = (maxQueuedOperations: number, maxQueuedBytes = 1e6) => ({ maxQueuedOperations, maxQueuedBytes })

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: { code: string }) => error.code,
  )

test('What is enqueued in one turn goes as one batch, in order', async () => {
  const { provider, batches } = appendingProvider(idsFor)
  const queue = new WriteQueue(provider, limit(100), 10)
  const done = await Promise.all(
    [send('A'), send('B'), send('C')].map((each) => queue.enqueue(each, (done) => done)),
  )
  expect(batches.map(namesOf)).toEqual([['A', 'B', 'C']])
  const ids = done.map(({ id }) => id)
  expect(ids).toEqual([...ids].sort((a, b) => a - b))
  expect(queue.length).toBe(0)
})

test('A batch is given to the provider only when the one before is done', async () => {
  const waiting: (() => void)[] = []
  const { provider, batches } = appendingProvider(async (batch) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return idsFor(batch)
  })
  const queue = new WriteQueue(provider, limit(100), 10)
  const first = queue.enqueue(send('A'), (done) => done)
  while (batches.length === 0) await new Promise(setImmediate)
  const later = [queue.enqueue(send('B'), (done) => done), queue.enqueue(send('C'), (done) => done)]
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect([batches.map(namesOf), queue.length]).toEqual([[['A']], 2])
  waiting.shift()!()
  const { id } = await first
  while (batches.length === 1) await new Promise(setImmediate)
  waiting.shift()!()
  const ids = (await Promise.all(later)).map((done) => done.id)
  expect(batches.map(namesOf)).toEqual([['A'], ['B', 'C']])
  expect([...ids, id].sort((a, b) => a - b)).toEqual([id, ...ids])
})

test('A batch holds no more bytes than the provider takes, but at least one operation', async () => {
  const { provider, batches } = appendingProvider(idsFor, 220)
  const queue = new WriteQueue(provider, limit(100), 10)
  const operations = [
    send('A', '12345678'),
    send('B', '12345678'),
    send('C', '"щщщщщ"'),
    send('D', 'x'.repeat(99)),
    send('E'),
  ]
  await Promise.all(operations.map((each) => queue.enqueue(each, (done) => done)))
  expect(batches.map(namesOf)).toEqual([['A', 'B'], ['C'], ['D'], ['E']])
})

test('A batch holds few operations with many addresses, however short these are', async () => {
  const { provider, batches } = appendingProvider(idsFor, 1_000_000)
  const queue = new WriteQueue(provider, limit(100, 1e7), 10)
  const many = Array.from({ length: 1000 }, (_, index) => `c:${index}`)
  const operations: Operation[] = [
    { ...send('To'), topics: many },
    { ...send('Except'), except: many },
    { kind: 'stop', topics: many, except: [] },
  ]
  const enqueued = Array.from({ length: 10 }, () =>
    operations.map((each) => queue.enqueue(each, (done) => done)),
  )
  await Promise.all(enqueued.flat())
  // Each weighs about 100,000 bytes by the number of its addresses alone.
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(10)
  expect(batches.flat()).toHaveLength(30)
})

test('A batch holds at most 1,000 operations', async () => {
  const { provider, batches } = appendingProvider(idsFor)
  const queue = new WriteQueue(provider, limit(5000), 10)
  await Promise.all(
    Array.from({ length: 2500 }, (_, index) => queue.enqueue(send(`${index}`), (done) => done)),
  )
  expect(batches.map((batch) => batch.length)).toEqual([1000, 1000, 500])
  expect(batches.flatMap(namesOf)).toEqual(Array.from({ length: 2500 }, (_, index) => `${index}`))
})

test('Between two batches the event loop turns, however fast the provider is', async () => {
  let turns = 0
  const turnsAtBatches: number[] = []
  const { provider } = appendingProvider(async (batch) => {
    turnsAtBatches.push(turns)
    return idsFor(batch)
  })
  const queue = new WriteQueue(provider, limit(5000), 10)
  const sent = Array.from({ length: 3000 }, (_, index) => queue.enqueue(send(`${index}`), (done) => done))
  let isSent = false
  const all = Promise.all(sent).then(() => {
    isSent = true
  })
  for (; !isSent; turns++) await new Promise(setImmediate)
  await all
  expect(new Set(turnsAtBatches).size).toBe(3)
})

test('Row 32: what is over the queue’s limit is refused at once and never stored, what is in it is', async () => {
  const { provider, batches } = appendingProvider(idsFor)
  const queue = new WriteQueue(provider, limit(2), 10)
  const settled = await Promise.all(
    ['A', 'B', 'C', 'D'].map((name) => codeOf(queue.enqueue(send(name), (done) => done))),
  )
  expect(settled).toEqual(['resolved', 'resolved', 'COMET_QUEUE_IS_FULL', 'COMET_QUEUE_IS_FULL'])
  expect(batches.map(namesOf)).toEqual([['A', 'B']])
  await expect(queue.enqueue(send('E'), (done) => done)).resolves.toHaveProperty('id')
})

test('A refusal of one operation is its own, with the provider’s code', async () => {
  const refusals = [
    'COMET_CLIENT_DOES_NOT_EXIST',
    'COMET_CLIENT_ALREADY_EXISTS',
    'COMET_TOO_MANY_CLIENTS',
  ] as const
  const { provider } = appendingProvider(async (batch) => {
    const [done] = await idsFor(batch.slice(0, 1))
    return [...refusals.map((refused): Outcome => ({ refused })), done!]
  })
  const queue = new WriteQueue(provider, limit(10), 10)
  const settled = await Promise.all(
    ['A', 'B', 'C', 'D'].map((name) => codeOf(queue.enqueue(send(name), (done) => done))),
  )
  expect(settled).toEqual([...refusals, 'resolved'])
})

test('Row 18: a batch that fails rejects all that are in it, with the cause, and the next one goes on', async () => {
  const cause = new Error('the disk is on fire')
  const { provider } = appendingProvider((batch, call) =>
    call === 1 ? Promise.reject(cause) : idsFor(batch),
  )
  const queue = new WriteQueue(provider, limit(10), 10)
  const failed = [queue.enqueue(send('A'), (done) => done), queue.enqueue(send('B'), (done) => done)]
  for (const each of failed) {
    await expect(each).rejects.toMatchObject({ code: 'COMET_PROVIDER_IS_UNAVAILABLE', status: 503, cause })
  }
  await expect(queue.enqueue(send('C'), (done) => done)).resolves.toHaveProperty('id')
})

test('Row 19: a batch that hangs rejects at the deadline, and until its call has ended all else is refused', async () => {
  let endCall = (): void => undefined
  const { provider, batches } = appendingProvider(async (batch, call) => {
    if (call === 1) await new Promise<void>((resolve) => (endCall = resolve))
    return idsFor(batch)
  })
  const queue = new WriteQueue(provider, limit(10), 0.02)
  const hanging = queue.enqueue(send('A'), (done) => done)
  await expect(hanging).rejects.toMatchObject({ code: 'COMET_PROVIDER_IS_UNAVAILABLE' })
  await expect(queue.enqueue(send('B'), (done) => done)).rejects.toMatchObject({
    code: 'COMET_PROVIDER_IS_UNAVAILABLE',
  })
  await queue.drained()
  endCall()
  await new Promise(setImmediate)
  await expect(queue.enqueue(send('C'), (done) => done)).resolves.toHaveProperty('id')
  expect(batches.map(namesOf)).toEqual([['A'], ['C']])
})

test('Row 18: a provider that throws in place of rejecting blocks nothing', async () => {
  const { provider } = appendingProvider((batch, call) => {
    if (call === 1) throw new Error('at once')
    return idsFor(batch)
  })
  const queue = new WriteQueue(provider, limit(10), 10)
  expect(await codeOf(queue.enqueue(send('A'), (done) => done))).toBe('COMET_PROVIDER_IS_UNAVAILABLE')
  await expect(queue.enqueue(send('B'), (done) => done)).resolves.toHaveProperty('id')
})

test('What waits is bounded by its bytes too, receivers and names of clients among them', async () => {
  const { provider, batches } = appendingProvider(idsFor)
  const queue = new WriteQueue(provider, limit(100, 3000), 10)
  const large: SendOperation = { ...send('A', 'x'.repeat(1000)), topics: ['c:'.padEnd(1000, 'y')] }
  const settled = await Promise.all(
    [large, large, send('B')].map((each) => codeOf(queue.enqueue(each, (done) => done))),
  )
  expect(settled).toEqual(['resolved', 'COMET_QUEUE_IS_FULL', 'resolved'])
  const larger = { ...large, contents: 'x'.repeat(9000) }
  await expect(queue.enqueue(larger, (done) => done)).resolves.toHaveProperty('id')
  expect(batches.map(namesOf)).toEqual([['A', 'B'], ['A']])
})

test('A provider that gives too few outcomes leaves nobody waiting', async () => {
  const { provider } = appendingProvider((batch) => idsFor(batch.slice(1)))
  const queue = new WriteQueue(provider, limit(10), 10)
  const settled = await Promise.all([
    codeOf(queue.enqueue(send('A'), (done) => done)),
    codeOf(queue.enqueue(send('B'), (done) => done)),
  ])
  expect(settled).toEqual(['resolved', 'COMET_PROVIDER_IS_UNAVAILABLE'])
})

test('The queue is drained when all that is in it has settled', async () => {
  const { provider } = appendingProvider(idsFor, 1)
  const queue = new WriteQueue(provider, limit(10), 10)
  await queue.drained()
  let settled = 0
  for (const name of ['A', 'B', 'C'])
    void queue.enqueue(send(name), (done) => done).then(() => (settled += 1))
  await queue.drained()
  await Promise.resolve()
  expect(settled).toBe(3)
})
