import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from 'redis'
import { REDIS_SERVER } from '../support/redis/redis-binary.ts'
import type { RedisServer } from '../support/redis/redis-server.ts'
import { freePort } from '../support/running-module.ts'

/** A real Sentinel that watches a primary under the name `mymaster`. */
export interface Sentinel {
  readonly port: number
  /** Makes a replica the primary. Resolves when Sentinel names it so. */
  failOver(): Promise<void>
  end(): Promise<void>
}

const ASK_AGAIN_MS = 20

/** @param folder where it may write its configuration */
export async function startSentinel(primary: RedisServer, folder: string): Promise<Sentinel> {
  const port = await freePort()
  const file = join(folder, 'sentinel.conf')
  const watched = `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`
  await writeFile(file, `port ${port}\nbind 127.0.0.1\ndir ${folder}\n${watched}\n`)
  const child = spawn(REDIS_SERVER, [file, '--sentinel'], { stdio: 'ignore' })
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2 })
  client.on('error', () => {})
  await client.connect()
  const ask = async (...parts: string[]) =>
    String(await client.sendCommand(['SENTINEL', ...parts, 'mymaster']))
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
  // It finds the replicas by asking the primary.
  await until(async () => (await ask('REPLICAS')).includes('master-link-status,ok'))
  return {
    port,
    async failOver() {
      const before = await ask('GET-MASTER-ADDR-BY-NAME')
      await ask('FAILOVER')
      await until(async () => (await ask('GET-MASTER-ADDR-BY-NAME')) !== before)
    },
    async end() {
      client.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
