import { isReply, UnfitServer } from './connection.ts'

/** How the server is configured to keep what it is told. */
export interface RedisServerReport {
  readonly version: string
  /**
   * What a crash of the server can take: `nothing` (append-only file, synced with each write), `a second` (synced each
   * second; of a crash of the process alone nothing), `minutes` (snapshots), or `everything`. `unknown`: it does not say.
   */
  readonly loses: 'nothing' | 'a second' | 'minutes' | 'everything' | 'unknown'
  /** Whether it throws keys away when its memory is full. */
  readonly evicts: boolean
}

type Ask = (args: readonly string[]) => Promise<unknown>

const OLDEST_VERSION = 7

/** Reads it. Rejects if this server cannot keep a channel: too old, a replica, or a node of a cluster. */
export async function readServerReport(ask: Ask): Promise<RedisServerReport> {
  const info = fieldsOf((await ask(['INFO'])) as string)
  const version = info.get('valkey_version') ?? info.get('redis_version') ?? ''
  if (Number.parseInt(version, 10) < OLDEST_VERSION) {
    throw new UnfitServer(`the server is of version ${version}: ${OLDEST_VERSION} or newer is needed`)
  }
  if (info.get('role') !== 'master') {
    throw new Error('the server is a replica, which takes no writes: connect to the primary')
  }
  if (info.get('cluster_enabled') === '1') {
    throw new UnfitServer(
      'the server is a node of a Redis Cluster, which is not supported: use one primary with replicas',
    )
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  return { version, loses: await readLosses(ask, info), evicts: policy !== 'noeviction' }
}

const warned = new Set<string>()

/** Tells, once of each server, of what an operator should know. */
export function warnOf({ loses, evicts }: RedisServerReport, where: string): void {
  if (loses === 'everything') {
    warnOnce(
      'KOA_COMET_REDIS_KEEPS_NOTHING',
      `The Redis server at ${where} keeps nothing over a restart: clients have to begin anew then, and are told so. ` +
        'Set appendonly yes to keep the channel.',
    )
  }
  if (evicts) {
    warnOnce(
      'KOA_COMET_REDIS_EVICTS',
      `The Redis server at ${where} evicts keys when its memory is full: then the channel begins anew, and clients ` +
        'are told so. Set maxmemory-policy noeviction.',
    )
  }
}

function warnOnce(code: string, text: string): void {
  if (warned.has(text)) return
  warned.add(text)
  process.emitWarning(text, { code })
}

async function readLosses(ask: Ask, info: ReadonlyMap<string, string>): Promise<RedisServerReport['loses']> {
  try {
    const sync = await readSetting(ask, 'appendfsync')
    if (info.get('aof_enabled') === '1')
      return sync === 'always' ? 'nothing' : sync === 'everysec' ? 'a second' : 'minutes'
    return (await readSetting(ask, 'save')) === '' ? 'everything' : 'minutes'
  } catch (error) {
    // A server that is rented often does not tell.
    if (!isReply(error, 'NOPERM', 'ERR')) throw error
    return 'unknown'
  }
}

async function readSetting(ask: Ask, name: string): Promise<string> {
  const [, value = ''] = (await ask(['CONFIG', 'GET', name])) as string[]
  return value
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const pairs = info.split('\r\n').map((line) => line.split(':', 2) as [string, string])
  return new Map(pairs.filter(([, value]) => value !== undefined))
}
