import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect } from '@jest/globals'
import { bundled } from '../../providers/sqlite-child-process.ts'
import { eventually } from '../eventually.ts'
import { testWithRedis as test } from './redis-available.ts'
import { PortIsTaken, RedisProcess } from './redis-process.ts'
import { disposeServers, type RedisServer, startServer } from './redis-server.ts'

const STORES_ALL = { appendonly: 'yes', appendfsync: 'always' }
const STORES_NOTHING = { appendonly: 'no' }

afterEach(disposeServers)

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function replid(server: RedisServer): Promise<string> {
  return /master_replid:(\w+)/.exec(String(await server.command('INFO', 'replication')))![1]!
}

describe('A server', () => {
  test('takes commands once it has started, and works in its folder', async () => {
    const server = await startServer()
    expect(await server.command('PING')).toBe('PONG')
    expect(await server.command('CONFIG', 'GET', 'dir')).toEqual(['dir', server.folder])
  })

  test('has the directives that it is given', async () => {
    const server = await startServer({ config: { save: '60 1 30 2', maxmemory: '10mb' } })
    expect(await server.command('CONFIG', 'GET', 'save')).toEqual(['save', '60 1 30 2'])
    expect(await server.command('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '10485760'])
  })

  test('that does not start says why', async () => {
    await expect(startServer({ config: { appendfsync: 'perhaps' } })).rejects.toThrow(
      /ended at its start:[\s\S]*appendfsync "perhaps"/,
    )
  })

  test('takes another port if somebody has the one that was chosen', async () => {
    const { port } = await startServer()
    const starting = RedisProcess.start({ port: String(port), bind: '127.0.0.1' }, () => {})
    await expect(starting).rejects.toThrow(PortIsTaken)
  })

  test('does commands that come together, in their order', async () => {
    const server = await startServer()
    const commands = ['1', '2', '3'].map((value) => server.command('RPUSH', 'list', value))
    expect(await Promise.all(commands)).toEqual([1, 2, 3])
  })
})

describe('A server that is killed', () => {
  test('has lost all if it stores nothing, and starts again on its port', async () => {
    const server = await startServer({ config: STORES_NOTHING })
    await server.command('SET', 'k', 'v')
    const { port, pid } = server
    await server.kill()
    expect([runs(pid!), server.pid]).toEqual([false, undefined])
    await server.restart()
    expect([server.port, await server.command('GET', 'k')]).toEqual([port, null])
  })

  test('has kept all if it appends each command to a file', async () => {
    const server = await startServer({ config: STORES_ALL })
    await server.command('SET', 'k', 'v')
    await server.kill()
    await server.restart()
    expect(await server.command('GET', 'k')).toBe('v')
  })

  test('rejects what it is asked', async () => {
    const server = await startServer()
    await server.command('PING')
    server.freeze()
    const command = server.command('SET', 'k', 'v')
    await Promise.all([expect(command).rejects.toThrow(), server.kill()])
    await expect(server.command('PING')).rejects.toThrow('ECONNREFUSED')
  })

  test('is not minded if it does not run', async () => {
    const server = await startServer()
    await server.kill()
    await server.kill()
    await server.stop()
    server.freeze()
    server.thaw()
  })
})

describe('A server that is stopped', () => {
  test('stores what its configuration says', async () => {
    const server = await startServer({ config: { save: '3600 1' } })
    await server.command('SET', 'k', 'v')
    await server.stop()
    await server.restart()
    expect(await server.command('GET', 'k')).toBe('v')
  })

  test('ends also while it is frozen', async () => {
    const server = await startServer()
    server.freeze()
    await server.stop()
    expect(server.pid).toBeUndefined()
  })
})

test('A restart ends the server before, and can change its directives for good', async () => {
  const server = await startServer()
  const { pid } = server
  await server.restart(STORES_ALL)
  expect(runs(pid!)).toBe(false)
  await server.command('SET', 'k', 'v')
  await server.kill()
  await server.restart()
  expect(await server.command('GET', 'k')).toBe('v')
})

test('A frozen server does nothing, and does all when it is thawed', async () => {
  const [server, other] = [await startServer(), await startServer()]
  await server.command('PING')
  server.freeze()
  let isDone = false
  const command = server.command('SET', 'k', 'v').then(() => {
    isDone = true
  })
  for (let round = 0; round < 20; round += 1) await other.command('PING')
  expect(isDone).toBe(false)
  server.thaw()
  await command
  expect(await server.command('GET', 'k')).toBe('v')
})

test('A replica has what its primary had, and goes on as another one when it is promoted', async () => {
  const [primary, replica] = [await startServer(), await startServer()]
  // It takes a while to get over.
  await primary.command('SET', 'k', 'v'.repeat(20_000_000))
  await replica.replicaOf(primary)
  expect(await replica.command('STRLEN', 'k')).toBe(20_000_000)
  await expect(replica.command('SET', 'k', 'w')).rejects.toThrow('READONLY')
  expect(await replid(replica)).toBe(await replid(primary))
  await primary.kill()
  await replica.promote()
  expect(await replica.command('SET', 'k', 'w')).toBe('OK')
  await primary.restart()
  expect(await replid(replica)).not.toBe(await replid(primary))
})

describe('Nothing is left', () => {
  let server: RedisServer
  let pid: number

  beforeEach(async () => {
    server = await startServer({ config: STORES_ALL })
    pid = server.pid!
    await server.command('SET', 'k', 'v')
    expect([runs(pid), existsSync(server.folder)]).toEqual([true, true])
  })

  test('of a server that was disposed of', async () => {
    const disposal = server.dispose()
    expect(server.dispose()).toBe(disposal)
    await disposal
    expect([runs(pid), existsSync(server.folder)]).toEqual([false, false])
  })

  test('of a frozen one that has not answered', async () => {
    server.freeze()
    const command = server.command('PING')
    await Promise.all([expect(command).rejects.toThrow(), disposeServers()])
    expect([runs(pid), existsSync(server.folder)]).toEqual([false, false])
  })

  test('of one that was killed before', async () => {
    await server.kill()
    await disposeServers()
    expect(existsSync(server.folder)).toBe(false)
  })
})

test('Nothing is left of a server when the process that has started it ends, however it does', async () => {
  const program = await bundled('../support/redis/guarded-program.ts')
  try {
    for (const end of [
      ({ pid }: ChildProcess) => process.kill(pid!, 'SIGKILL'),
      // As Ctrl-C does it: to all of its processes at once.
      ({ pid }: ChildProcess) => process.kill(-pid!, 'SIGINT'),
    ]) {
      const parent = fork(program.path, { detached: true })
      const [{ pid, folder }] = (await once(parent, 'message')) as [{ pid: number; folder: string }]
      expect([runs(pid), existsSync(folder)]).toEqual([true, true])
      end(parent)
      await once(parent, 'exit')
      await eventually(() => !runs(pid) && !existsSync(folder))
    }
  } finally {
    program.remove()
  }
})
