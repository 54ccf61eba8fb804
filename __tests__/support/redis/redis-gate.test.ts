import { once } from 'node:events'
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

describe('A gate without a fault', () => {
  test('passes all on, and hits nothing', async () => {
    const client = await bench.client()
    const value = 'ä'.repeat(1_000_000)
    expect(await client.set('k', value)).toBe('OK')
    expect(await client.get('k')).toBe(value)
    expect(await Promise.all(['a', 'b', 'c'].map((each) => client.append('l', each)))).toEqual([1, 2, 3])
    expect(bench.hits()).toEqual({})
  })

  test('passes requests on that come in pieces, and such as people write', async () => {
    const socket = await bench.socket()
    let replies = ''
    socket.on('data', (bytes) => {
      replies += bytes
    })
    for (const byte of '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\nPING\r\n') {
      socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => replies === '+OK\r\n+PONG\r\n')
    expect(await bench.get('k')).toBe('a\r\nb')
  })

  test('tells each end of the other one', async () => {
    const before = await bench.connections()
    const [client, left] = [await bench.client(), await bench.client()]
    expect(await bench.connections()).toBe(before + 2)
    client.destroy()
    await bench.untilConnections(before + 1)
    await bench.dropClients()
    await eventually(() => !left.isOpen)
  })
})

describe('cut', () => {
  test('resets all connections, and each new one, until it is mended', async () => {
    const [client, socket] = [await bench.client(), await bench.socket()]
    bench.gate.cut()
    const [error] = await once(socket, 'error')
    expect(error.code).toBe('ECONNRESET')
    await eventually(() => !client.isOpen)
    expect(bench.hits()).toEqual({ cut: 2 })
    await expect(bench.client()).rejects.toThrow()
    expect(bench.hits()).toEqual({ cut: 2, refused: 1 })
    bench.gate.mend()
    expect(await (await bench.client()).ping()).toBe('PONG')
  })
})

describe('stall', () => {
  test('lets requests wait, and passes them on when it is over', async () => {
    const client = await bench.client()
    bench.gate.stall()
    const call = new Call(client.set('k', 'v'))
    await bench.aWhile()
    expect([call.state, await bench.get('k')]).toEqual(['pending', null])
    bench.gate.flow()
    expect(await call.ended()).toBe('answered')
    expect(await bench.get('k')).toBe('v')
    expect(bench.hits()).toEqual({ stalled: 1 })
  })

  test('lets replies wait as well', async () => {
    const client = await bench.client()
    const call = new Call(client.blPop('list', 0))
    await bench.untilWaiting()
    bench.gate.stall()
    await bench.server.command('RPUSH', 'list', 'v')
    await bench.aWhile()
    expect([call.state, await bench.server.command('LLEN', 'list')]).toEqual(['pending', 0])
    bench.gate.flow()
    expect(await call.ended()).toBe('answered')
    expect(bench.hits()).toEqual({ stalled: 1 })
  })

  test('lets new connections wait', async () => {
    bench.gate.stall()
    const call = new Call(bench.client())
    await bench.aWhile()
    expect(call.state).toBe('pending')
    bench.gate.flow()
    expect(await call.ended()).toBe('answered')
    expect(bench.hits()).toEqual({ stalled: 1 })
  })

  test('does not tell the server that a client has gone, nor clients that the server has', async () => {
    const before = await bench.connections()
    const [client, left] = [await bench.client(), await bench.client()]
    bench.gate.stall()
    client.destroy()
    await bench.aWhile()
    expect(await bench.connections()).toBe(before + 2)
    await bench.dropClients()
    await bench.aWhile()
    expect(left.isOpen).toBe(true)
    bench.gate.flow()
    await eventually(() => !left.isOpen)
  })

  test('can be mended like any other fault', async () => {
    const client = await bench.client()
    bench.gate.stall()
    bench.gate.mend()
    expect(await client.ping()).toBe('PONG')
    expect(bench.hits()).toEqual({})
  })
})

describe('pointTo', () => {
  test('ends what goes to the one server, and lets new connections go to the other', async () => {
    const client = await bench.client()
    await client.set('k', 'of the one')
    bench.gate.pointTo(bench.other.port)
    await eventually(() => !client.isOpen)
    const next = await bench.client()
    expect(await next.get('k')).toBeNull()
    await next.set('k', 'of the other')
    expect(await bench.other.command('GET', 'k')).toBe('of the other')
    expect(bench.hits()).toEqual({ cut: 1 })
  })

  test('ends each connection if there is no server', async () => {
    const gone = await RedisServer.start()
    await gone.dispose()
    bench.gate.pointTo(gone.port)
    await expect(bench.client()).rejects.toThrow()
    bench.gate.pointTo(bench.server.port)
    expect(await (await bench.client()).ping()).toBe('PONG')
  })
})

describe('close', () => {
  test('ends all, whatever is on, and a second one is the first', async () => {
    const client = await bench.client()
    bench.gate.stall()
    const closing = bench.gate.close()
    expect(bench.gate.close()).toBe(closing)
    await closing
    await eventually(() => !client.isOpen)
  })

  test('ends a crash that waits for a frozen server', async () => {
    const client = await bench.client()
    bench.server.freeze()
    const call = new Call(client.set('k', 'v'))
    await bench.aWhile()
    const crash = new Call(bench.gate.crash())
    await bench.aWhile()
    expect(crash.state).toBe('pending')
    await bench.gate.close()
    expect([await crash.ended(), await call.ended()]).toEqual(['answered', 'rejected'])
  })
})
