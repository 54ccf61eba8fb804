import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ROOT } from '../support/consumer-folder.ts'
import { testWithRedis } from '../support/redis/redis-available.ts'

interface Node {
  readonly name: string
  readonly state: string
  readonly pid: number
}

describe('the command of the cluster', () => {
  /** The temporary folder of what is started. */
  let folder: string
  let command: ChildProcess
  /** With the exit code. */
  let exited: Promise<[code: number | null]>

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'koa-comet-test-'))
  })
  afterEach(async () => {
    command.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true })
  })

  /** In a group of processes of its own, as a terminal starts it. */
  function start(environment: Readonly<Record<string, string>> = {}): void {
    command = spawn(process.execPath, [join(ROOT, 'dist/samples/cluster/server.js')], {
      env: { ...process.env, PORT: '0', TMPDIR: folder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    exited = once(command, 'exit') as Promise<[number | null]>
  }

  /** Resolves when it is ready, with where it is and where its Redis is. */
  async function ready(): Promise<{ origin: string; redisPort: number }> {
    let said = ''
    for await (const line of createInterface({ input: command.stdout! })) {
      said += line
      const [, origin, redisPort] = /(http:\S+?\d+)Its.*redis:.*:(\d+)$/.exec(said) ?? []
      if (origin) return { origin, redisPort: Number(redisPort) }
    }
    throw new Error(`It did not start: ${await text(command.stderr!)}`)
  }

  async function nodes(origin: string): Promise<Node[]> {
    return (await fetch(`${origin}/nodes`)).json() as Promise<Node[]>
  }

  /** Waits until nothing is left of it. */
  async function isGone(pids: readonly number[], redisPort: number): Promise<void> {
    while (pids.some(isThere) || (await takesConnections(redisPort)) || (await readdir(folder)).length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  test('says how to get a redis-server where there is none, and ends with 1', async () => {
    start({ PATH: folder, REDIS_SERVER_PATH: 'redis-server' })
    const [said, [code]] = await Promise.all([text(command.stderr!), exited])
    expect(said).toContain('apt-get install redis-server')
    expect(said).toContain('REDIS_URL=')
    expect(code).toBe(1)
    expect(await readdir(folder)).toEqual([])
  })

  testWithRedis('leaves no process and no folder behind after Ctrl-C', async () => {
    start()
    const { origin, redisPort } = await ready()
    const pids = (await nodes(origin)).map(({ pid }) => pid)
    expect(pids.filter(isThere).length).toBe(3)
    expect(await takesConnections(redisPort)).toBe(true)
    expect((await readdir(folder)).length).toBe(1)

    process.kill(-command.pid!, 'SIGINT')
    expect(await exited).toEqual([0, null])
    expect(pids.filter(isThere)).toEqual([])
    expect(await takesConnections(redisPort)).toBe(false)
    expect(await readdir(folder)).toEqual([])
  })

  testWithRedis(
    'lets pages of no other site kill, and leaves nothing behind when it is killed itself',
    async () => {
      start()
      const { origin, redisPort } = await ready()
      const order = async (path: string, headers: Readonly<Record<string, string>>) =>
        (await fetch(`${origin}/nodes/${path}`, { method: 'POST', headers })).status
      const before = await nodes(origin)
      for (const headers of [
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site', Origin: origin },
        { Origin: 'http://other.example' },
        { Origin: 'null' },
      ])
        for (const path of ['1/kill', '1/restart']) expect(await order(path, headers)).toBe(403)
      expect(await nodes(origin)).toMatchObject(
        before.map(({ name, pid }) => ({ name, pid, state: 'running' })),
      )
      expect(await order('4/kill', { Origin: origin })).toBe(404)
      expect(await order('1/kill', { Origin: origin })).toBe(204)
      expect(await order('2/kill', { 'Sec-Fetch-Site': 'same-origin' })).toBe(204)
      const [one, two, three] = before.map(({ pid }) => pid) as [number, number, number]
      while (isThere(one) || isThere(two)) await new Promise((resolve) => setTimeout(resolve, 10))

      command.kill('SIGKILL')
      await exited
      await isGone([three], redisPort)
    },
  )
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
