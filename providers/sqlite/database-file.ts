import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  type Stats,
  statSync,
} from 'node:fs'
import Database from 'better-sqlite3'
import { codeOf } from './busy.ts'
import type { Durability } from './options.ts'

/** Older ones can corrupt a file that two connections write to (the WAL-reset bug). */
const SAFE_VERSION = [3, 51, 3] as const

/** An open reader keeps the -wal file from being used anew, and it would stay as large as it got. */
const WAL_LIMIT_BYTES = 8 * 1024 * 1024

const LEVELS: Readonly<Record<Durability, number>> = { normal: 1, full: 2 }

/** A file as it was opened: SQLite does not notice when it is deleted or replaced under it. */
export interface FileIdentity {
  readonly path: string
  readonly inode: bigint
  readonly device: bigint
}

/**
 * Opens a connection of our own, which never blocks: who is in the way makes it throw `SQLITE_BUSY`. If the file does
 * not exist it is created: for its owner alone (mode 0600), or for those who may use the file that `like` is of.
 *
 * @throws what SQLite or the file system says
 */
export function openDatabase(fileName: string, like?: Stats): Database.Database {
  try {
    // SQLite gives -wal and -shm the mode of the file itself.
    createFile(fileName, like)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    // SQLite would open it for reading, and leave a -wal beside it that cannot be written to later either.
    accessSync(fileName, constants.W_OK)
  }
  return new Database(fileName, { timeout: 0 })
}

function createFile(fileName: string, like: Stats | undefined): void {
  const descriptor = openSync(fileName, 'wx', 0o600)
  try {
    if (like === undefined) return
    // As SQLite does for -wal and -shm: only root may give a file away.
    if (process.geteuid?.() === 0) fchownSync(descriptor, like.uid, like.gid)
    fchmodSync(descriptor, like.mode & 0o777)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes the connection one of WAL. May be repeated when something is busy. */
export function useWriteAheadLog(database: Database.Database): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal') throw new Error(`SQLite cannot use a write-ahead log here: it says '${String(mode)}'.`)
  database.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`)
}

/** Makes the commits to come as durable as asked for: better-sqlite3 alone would run WAL with NORMAL. */
export function setDurability(database: Database.Database, durability: Durability): void {
  database.pragma(`synchronous = ${durability}`)
}

/** To be called after the first write: only then does SQLite say what it really does. */
export function checkDurability(database: Database.Database, durability: Durability): void {
  const level = database.pragma('synchronous', { simple: true })
  if (level === LEVELS[durability]) return
  throw new Error(`SQLite keeps to synchronous = ${String(level)}, though it was told ${durability}.`)
}

/** Whether commits of this connection are at least as durable as that. Read something by it first. */
export function isAsDurable(database: Database.Database, durability: Durability): boolean {
  return Number(database.pragma('main.synchronous', { simple: true })) >= LEVELS[durability]
}

export function checkVersion(version: string, processes: 'one' | 'many'): void {
  if (processes === 'one' || isSafe(version)) return
  throw new Error(
    `SQLite ${version} can corrupt a file that several processes write to: use better-sqlite3 12.11 or newer, or, if ` +
      "no other process writes to the file, say processes: 'one'.",
  )
}

function isSafe(version: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, least] of SAFE_VERSION.entries()) {
    const part = parts[index] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** @param path the real one: by another name of the file SQLite would use another -wal */
export function identify(path: string): FileIdentity {
  const { ino: inode, dev: device } = statSync(path, { bigint: true })
  return { path, inode, device }
}

/** Throws if the file was deleted or replaced since it was opened. */
export function checkIdentity({ path, inode, device }: FileIdentity): void {
  const now = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (now?.ino === inode && now.dev === device) return
  throw new Error(
    `${path} was ${now ? 'replaced' : 'deleted'} while it was open: what is written now goes to the file that is gone. ` +
      'Restart this process, unless the file comes back.',
  )
}
