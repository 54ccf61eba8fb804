import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals'
import { Call, GateBench } from './gate-bench.ts'
import { testWithRedis as test } from './redis-available.ts'
import { RedisGate } from './redis-gate.ts'

/** How many turns of the event loop after a request the crashes of a test come: 0, 1, 2 … and when all is answered. */
const MOMENTS = 12

let bench: GateBench

beforeAll(async () => {
  bench = await GateBench.open()
})
afterEach(() => bench.renew())
afterAll(() => bench.close())

test('A crash resolves when the server has dealt with all that was sent, and no client hears of it', async () => {
  const client = await bench.client()
  bench.server.freeze()
  const calls = [client.incr('n'), client.incr('n')].map((reply) => new Call(reply))
  await bench.aWhile()
  const crash = new Call(bench.gate.crash())
  const late = new Call(client.incr('n'))
  await bench.aWhile()
  expect([crash, late, ...calls].map(({ state }) => state)).toEqual(Array(4).fill('pending'))
  bench.server.thaw()
  expect(await crash.ended()).toBe('answered')
  expect(await bench.get('n')).toBe('2')
  for (const call of [...calls, late]) expect(await call.ended()).toBe('rejected')
  expect(bench.hits()).toEqual({ crashed: 1 })
})

test('Nothing lands after a crash, at whatever moment it comes', async () => {
  const landed: unknown[] = []
  for (let moment = 0; moment <= MOMENTS; moment += 1) {
    const gate = await RedisGate.open(bench.server.port)
    const client = await bench.client(gate)
    const replies = Array.from({ length: 1000 }, () => client.incr(`n${moment}`))
    const answered = Promise.allSettled(replies)
    if (moment === MOMENTS) await answered
    else for (let turn = 0; turn < moment; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    await gate.crash()
    landed.push(await bench.get(`n${moment}`))
    await gate.close()
  }
  await bench.aWhile()
  expect(await Promise.all(landed.map((_, moment) => bench.get(`n${moment}`)))).toEqual(landed)
  expect([landed.at(0), landed.at(-1)]).toEqual([null, '1000'])
})

test('A crash ends also what waits at the server, and half a request is none', async () => {
  const [client, socket] = [await bench.client(), await bench.socket()]
  const waiting = new Call(client.blPop('list', 0))
  await bench.untilWaiting()
  socket.on('error', () => {})
  socket.write('SET a 1\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$10\r\n1')
  await once(socket, 'data')
  await bench.gate.crash()
  expect([await bench.get('a'), await bench.get('b')]).toEqual(['1', null])
  expect(await waiting.ended()).toBe('rejected')
  await bench.server.command('RPUSH', 'list', 'v')
  expect(await bench.server.command('LLEN', 'list')).toBe(1)
})

test('A crash takes nothing that waits in a stall', async () => {
  const client = await bench.client()
  bench.gate.stall()
  const call = new Call(client.set('k', 'v'))
  await bench.aWhile()
  await bench.gate.crash()
  expect([await bench.get('k'), await call.ended()]).toEqual([null, 'rejected'])
})

test('A crash is for good', async () => {
  await bench.gate.crash()
  bench.gate.stall()
  bench.gate.mend()
  await expect(bench.client()).rejects.toThrow()
  expect(bench.hits()).toEqual({ refused: 1 })
})
