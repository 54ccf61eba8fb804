import { CometException } from '../../lib/comet-exception.ts'
import { codeOf, isBusy } from './busy.ts'

const FULL = 'the disk is full. It goes on when there is room again'
const NOT_WRITABLE = 'the file or its folder cannot be written to. Check their owner and mode'
const BUSY = 'it holds the write lock, or reads from a file that has no write-ahead log yet'
const MISSING = 'its folder, or what it links to, does not exist. Create it first'

/** What to do about errors of SQLite and of the file system, by the beginning of their codes. */
const REMEDIES: readonly (readonly [code: string, text: string])[] = [
  ['SQLITE_FULL', FULL],
  ['SQLITE_IOERR_SHMSIZE', FULL],
  ['SQLITE_READONLY', NOT_WRITABLE],
  [
    'SQLITE_CANTOPEN',
    'this cannot be opened as a file. Check that it is no folder, and the owner and mode of it and of its folder',
  ],
  [
    'SQLITE_NOTADB',
    'this is no SQLite database. Give the channel a file of its own, or that of your database',
  ],
  [
    'SQLITE_CORRUPT',
    'the file is damaged. Restore it from a backup, or, if nothing else is in it, delete it with its -wal and -shm',
  ],
  ['SQLITE_IOERR', 'the disk failed'],
  ['ENOENT', MISSING],
  ['ENOTDIR', MISSING],
  ['EACCES', NOT_WRITABLE],
  ['EPERM', NOT_WRITABLE],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', FULL],
]

/** The error in words that say what to do, with SQLite's own as its cause. Any other error comes back as it is. */
export function explained(error: unknown, file: string, lockTimeoutSeconds: number): unknown {
  const code = codeOf(error)
  const known = REMEDIES.find(([prefix]) => code.startsWith(prefix))?.[1]
  if (known === undefined && !code.startsWith('SQLITE_')) return error
  const remedy = isBusy(error)
    ? `another connection has been in the way for longer than ${lockTimeoutSeconds} s: ${BUSY}`
    : (known ?? (error as Error).message)
  return new Error(`${file}: ${remedy} (${code})`, { cause: error })
}

/** Says what is wrong with the store, and what became of what it was asked for. */
export function unavailable(cause: unknown, fate: string): CometException {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const text = `${reason.replace(/\.?$/, '.')} ${fate}`
  return new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text, { cause })
}
