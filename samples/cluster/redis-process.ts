import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Another one, of Valkey for example, by its path. */
const REDIS_SERVER = process.env.REDIS_SERVER_PATH ?? 'redis-server'

const REMEDY = `There is no ${REDIS_SERVER}. Get it by "apt-get install redis-server" or "brew install redis", or \
name one that runs: REDIS_URL=redis://127.0.0.1:6379 npm run sample:cluster`

/** Waits until nobody is left who could write to it. Then it kills the server, and deletes its folder. */
const GUARD = 'read -r _; kill -KILL "$0"; rm -rf "$1"'

/** Its last words, if it does not start. */
const LOG_LINES = 10

export class RedisIsMissing extends Error {
  override readonly name = 'RedisIsMissing'
}

export interface RedisProcess {
  readonly url: string
  /** Resolves when nothing is left of it. */
  end(): Promise<void>
}

/**
 * Starts a redis-server that keeps what it is told in a file, in a folder of its own. Both go with this process, however
 * that ends: another one, the guard, sees to it. Ctrl-C reaches neither.
 *
 * @throws RedisIsMissing, which says how to get one; Error that says why it does not start
 */
export async function startRedis(): Promise<RedisProcess> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-cluster-'))
  const settings = { port: `${port}`, bind: '127.0.0.1', dir: folder, appendonly: 'yes', save: '' }
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const redis = spawn(REDIS_SERVER, parameters, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  if (redis.pid === undefined) {
    rmSync(folder, { recursive: true })
    await once(redis, 'error')
    throw new RedisIsMissing(REMEDY)
  }
  const guard = spawn('/bin/sh', ['-c', GUARD, `${redis.pid}`, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = Promise.all([once(redis, 'exit'), once(guard, 'exit')])
  redis.once('exit', () => guard.stdin.end())
  await isReady(redis.stdout)
  return {
    url: `redis://127.0.0.1:${port}`,
    async end() {
      guard.stdin.end()
      await ended
    },
  }
}

async function isReady(output: Readable): Promise<void> {
  const log: string[] = []
  const lines = createInterface({ input: output })
  for await (const line of lines) {
    log.push(line)
    if (line.includes('Ready to accept connections')) {
      output.resume()
      return
    }
  }
  throw new Error(`${REDIS_SERVER} did not start:\n${log.slice(-LOG_LINES).join('\n')}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
