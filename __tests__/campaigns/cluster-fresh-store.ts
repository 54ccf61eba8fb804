import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisServer } from '../support/redis/redis-server.ts'
import type { ClusterStore } from './cluster-store.ts'

/** As most keep it. The provider would warn of a server that keeps nothing. */
const REDIS_CONFIG = { appendonly: 'yes', appendfsync: 'everysec' } as const

/** Gives a fresh store, and leaves nothing of it. */
export async function withStore<T>(
  kind: ClusterStore['kind'],
  work: (store: ClusterStore) => Promise<T>,
): Promise<T> {
  if (kind === 'redis') {
    const server = await RedisServer.start({ config: REDIS_CONFIG })
    return work({ kind, url: server.url }).finally(() => server.dispose())
  }
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-cluster-'))
  return work({ kind, file: join(folder, 'cluster.db') }).finally(() => rmSync(folder, { recursive: true }))
}
