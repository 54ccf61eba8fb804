import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Another one, of Valkey for example, by its path. */
const REDIS_SERVER = process.env.REDIS_SERVER_PATH ?? 'redis-server'

/** Waits until nobody is left who could write to it. Then it kills the server, and deletes its folder. */
const GUARD = 'read -r _; kill -KILL "$0"; rm -rf "$1"'

export class RedisIsMissing extends Error {
  override readonly name = 'RedisIsMissing'
}

/**
 * Gives work the address of a redis-server, which keeps what it is told in a folder of its own, and removes both: also
 * when this process is killed meanwhile.
 *
 * @throws RedisIsMissing, which says how to get one
 */
export async function withRedis<T>(work: (url: string) => Promise<T>): Promise<T> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'koa-comet-bench-'))
  const settings = { port: `${port}`, bind: '127.0.0.1', dir: folder, appendonly: 'yes', save: '' }
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  // Ctrl-C is to reach neither: the guard sees to both.
  const redis = spawn(REDIS_SERVER, parameters, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  if (redis.pid === undefined) {
    await once(redis, 'error')
    await rm(folder, { recursive: true })
    throw new RedisIsMissing(`No ${REDIS_SERVER}: apt-get install redis-server, or set REDIS_SERVER_PATH.`)
  }
  const guard = spawn('/bin/sh', ['-c', GUARD, `${redis.pid}`, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const isOver = once(guard, 'exit')
  try {
    await isReady(redis.stdout)
    return await work(`redis://127.0.0.1:${port}`)
  } finally {
    guard.stdin.end()
    await isOver
  }
}

async function isReady(output: Readable): Promise<void> {
  const log: string[] = []
  for await (const line of createInterface({ input: output })) {
    log.push(line)
    if (line.includes('Ready to accept connections')) {
      output.resume()
      return
    }
  }
  throw new Error(`${REDIS_SERVER} ended at its start:\n${log.join('\n')}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
