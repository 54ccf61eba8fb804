import type { RedisClientSource } from './connection.ts'

const REMEDIES: readonly (readonly [code: string, remedy: string])[] = [
  ['NOAUTH', 'it wants a password: give it to createClient()'],
  ['WRONGPASS', 'the user name or the password is wrong'],
  ['NOPERM', 'the user may not do this: the README of the provider says what it has to be allowed'],
  ['READONLY', 'it takes no writes: it is a replica, or has become one'],
  ['OOM', 'its memory is full (maxmemory). It goes on when there is room again'],
  ['MISCONF', 'it cannot write its snapshots to disk, and refuses writes therefore'],
  ['NOREPLICAS', 'too few replicas are in touch with it (min-replicas-to-write)'],
  ['LOADING', 'it is loading its data from disk'],
  ['Disconnects client', 'the connection was given up, since nothing was answered by it'],
  ['MOVED', 'it is a node of a Redis Cluster, which is not supported'],
]

/** The error in words that say what to do, with the client's own as its cause. */
export function explained(error: unknown, where: string): Error {
  const text = (error instanceof Error ? error.message : String(error)).replace(/^Error: /, '')
  const remedy = REMEDIES.find(([code]) => text.startsWith(code))?.[1]
  if (remedy) return new Error(`Redis, ${where}: ${remedy} (${text})`, { cause: error })
  return new Error(`Redis, ${where}: ${text === '' ? codeOf(error) : text}`, { cause: error })
}

/** Of several addresses that all refused, Node gives no text. */
function codeOf(error: unknown): string {
  const { code = 'it cannot be reached' } = (error ?? {}) as { readonly code?: string }
  return code
}

/** Where the app's client connects to. Never its password. */
export function whereOf(source: RedisClientSource): string {
  if (typeof source === 'function') return 'the server that the app names'
  const { url, socket = {} } = (source.options ?? {}) as {
    readonly url?: string
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string }
  }
  if (socket.path !== undefined) return socket.path
  if (url !== undefined && URL.canParse(url)) return new URL(url).host
  return `${socket.host ?? 'localhost'}:${socket.port ?? 6379}`
}
