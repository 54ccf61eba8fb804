import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals'
import { eventually } from '../eventually.ts'
import { Call, GateBench } from './gate-bench.ts'
import { testWithRedis as test } from './redis-available.ts'
import { RedisServer } from './redis-server.ts'

let bench: GateBench

beforeAll(async () => {
  bench = await GateBench.open()
})
afterEach(() => bench.renew())
afterAll(() => bench.close())

describe('dropReplies', () => {
  test('lets the server do what it is asked, but not say so', async () => {
    const [client, idle] = [await bench.client(), await bench.client()]
    bench.gate.dropReplies()
    const call = new Call(client.set('k', 'v'))
    await bench.untilStored('k', 'v')
    await bench.aWhile()
    expect([call.state, client.isOpen]).toEqual(['pending', true])
    bench.gate.mend()
    expect([await call.ended(), client.isOpen]).toEqual(['rejected', false])
    expect(await idle.ping()).toBe('PONG')
    expect(bench.hits()).toEqual({ lostReplies: 1 })
  })

  test('lets nobody begin', async () => {
    bench.gate.dropReplies()
    const call = new Call(bench.client())
    await bench.aWhile()
    expect(call.state).toBe('pending')
    bench.gate.mend()
    expect(await call.ended()).toBe('rejected')
  })

  test('does not tell clients that the server has gone', async () => {
    const client = await bench.client()
    bench.gate.dropReplies()
    await bench.dropClients()
    await bench.aWhile()
    expect(client.isOpen).toBe(true)
    bench.gate.mend()
    await eventually(() => !client.isOpen)
  })

  test('is no stall, that could be ended by flow', async () => {
    const client = await bench.client()
    bench.gate.dropReplies()
    const call = new Call(client.set('k', 'v'))
    await bench.untilStored('k', 'v')
    bench.gate.flow()
    await bench.aWhile()
    expect(call.state).toBe('pending')
  })
})

describe('dropRequests', () => {
  test('lets no request get to the server, but replies come', async () => {
    const [client, waiting, idle] = [await bench.client(), await bench.client(), await bench.client()]
    const popped = waiting.blPop('list', 0)
    await bench.untilWaiting()
    bench.gate.dropRequests()
    const call = new Call(client.set('k', 'v'))
    await bench.server.command('RPUSH', 'list', 'v')
    expect(await popped).toEqual({ key: 'list', element: 'v' })
    await bench.aWhile()
    expect([call.state, client.isOpen]).toEqual(['pending', true])
    bench.gate.mend()
    expect([await call.ended(), client.isOpen, await bench.get('k')]).toEqual(['rejected', false, null])
    expect(await Promise.all([idle.ping(), waiting.ping()])).toEqual(['PONG', 'PONG'])
    expect(bench.hits()).toEqual({ lostRequests: 1 })
  })

  test('does not tell the server that a client has gone', async () => {
    const before = await bench.connections()
    const client = await bench.client()
    bench.gate.dropRequests()
    client.destroy()
    await bench.aWhile()
    expect(await bench.connections()).toBe(before + 1)
    bench.gate.mend()
    await bench.untilConnections(before)
  })
})

describe('cutAfterNextRequest', () => {
  test('has the server do it, and loses the reply with the connection', async () => {
    const [client, idle] = [await bench.client(), await bench.client()]
    const cut = bench.gate.cutAfterNextRequest()
    const call = new Call(client.incr('n'))
    await cut
    expect(await bench.get('n')).toBe('1')
    expect([await call.ended(), client.isOpen]).toEqual(['rejected', false])
    expect(await idle.incr('n')).toBe(2)
    expect(bench.hits()).toEqual({ cutAfterRequest: 1 })
  })

  test('waits for a request with the text, and lets those pass that come before', async () => {
    const client = await bench.client()
    const cut = bench.gate.cutAfterNextRequest('second')
    expect(await client.set('first', '1')).toBe('OK')
    const call = new Call(client.set('second', '2'))
    await cut
    expect([await call.ended(), await bench.get('second')]).toEqual(['rejected', '2'])
  })

  test('lets nothing through that comes behind it by the same connection', async () => {
    const client = await bench.client()
    const keys = ['first', 'second', 'third']
    const cut = bench.gate.cutAfterNextRequest('second')
    const calls = keys.map((key) => new Call(client.set(key, 'v')))
    await cut
    expect(await Promise.all(keys.map((key) => bench.get(key)))).toEqual(['v', 'v', null])
    expect(await calls[2]!.ended()).toBe('rejected')
  })

  test('waits for the answer to a request that takes its time', async () => {
    const client = await bench.client()
    const cut = new Call(bench.gate.cutAfterNextRequest('BLPOP'))
    const call = new Call(client.blPop('list', 0))
    await bench.untilWaiting()
    await bench.aWhile()
    expect([call.state, cut.state]).toEqual(['pending', 'pending'])
    await bench.server.command('RPUSH', 'list', 'v')
    expect([await call.ended(), await cut.ended()]).toEqual(['rejected', 'answered'])
    expect(await bench.server.command('LLEN', 'list')).toBe(0)
  })

  test('takes a large request as a whole', async () => {
    const client = await bench.client()
    const value = 'v'.repeat(1_000_000)
    const cut = bench.gate.cutAfterNextRequest('SET')
    const call = new Call(client.set('k', value))
    await cut
    expect([await call.ended(), await bench.get('k')]).toEqual(['rejected', value])
  })

  test('is asked for one request at a time', async () => {
    const client = await bench.client()
    const cut = bench.gate.cutAfterNextRequest('n')
    await expect(bench.gate.cutAfterNextRequest()).rejects.toThrow("with 'n' is still waited for")
    const call = new Call(client.incr('n'))
    await cut
    expect(await call.ended()).toBe('rejected')
  })

  test('resolves also if the server goes without an answer', async () => {
    const own = await RedisServer.start()
    bench.gate.pointTo(own.port)
    const client = await bench.client()
    const cut = new Call(bench.gate.cutAfterNextRequest())
    own.freeze()
    const call = new Call(client.incr('n'))
    await bench.aWhile()
    expect([cut.state, call.state]).toEqual(['pending', 'pending'])
    await own.dispose()
    expect([await cut.ended(), await call.ended()]).toEqual(['answered', 'rejected'])
  })
})
