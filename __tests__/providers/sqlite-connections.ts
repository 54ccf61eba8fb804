import { closeSync, openSync, readSync } from 'node:fs'
import { jest } from '@jest/globals'
import Database from 'better-sqlite3'

/** The connections that providers open from now on, by file. Ends with `jest.restoreAllMocks()`. */
export function watchConnections(): (file: string) => Database.Database[] {
  const pragma = jest.spyOn(Database.prototype, 'pragma')
  return (file) => {
    const connections = new Set(pragma.mock.contexts as Database.Database[])
    return [...connections].filter(({ name, open }) => name === file && open)
  }
}

type Statement = Record<'all' | 'run' | 'iterate', (...parameters: unknown[]) => unknown>

/** What all statements have in common. */
export function statementPrototype(): Statement {
  return Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1')) as Statement
}

/** Counts the rows that statements give from now on, and the changes that they make. */
export function watchStatements(): () => number {
  let rows = 0
  const statement = statementPrototype()
  const { all, run, iterate } = statement
  jest.spyOn(statement, 'all').mockImplementation(function (this: object, ...parameters) {
    const found = all.apply(this, parameters) as unknown[]
    rows += found.length
    return found
  })
  jest.spyOn(statement, 'run').mockImplementation(function (this: object, ...parameters) {
    rows += 1
    return run.apply(this, parameters)
  })
  jest.spyOn(statement, 'iterate').mockImplementation(function* (this: object, ...parameters) {
    for (const row of iterate.apply(this, parameters) as Iterable<unknown>) {
      rows += 1
      yield row
    }
  })
  return () => rows
}

const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** How many commits the -wal beside the file has, as its format says: the last frame of each tells the file's size. */
export function commitsIn(file: string): number {
  const wal = readWhole(`${file}-wal`)
  const pageBytes = wal.readUInt32BE(8)
  const salts = wal.subarray(16, 24)
  let commits = 0
  for (let at = WAL_HEADER_BYTES; at < wal.length; at += FRAME_HEADER_BYTES + pageBytes) {
    // What is left of an earlier use of the file has other salts.
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break
    if (wal.readUInt32BE(at + 4) !== 0) commits += 1
  }
  return commits
}

/** SQLite's locks are on the file itself: to read the -wal takes none of them away. */
function readWhole(path: string): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (;;) {
      const chunk = Buffer.alloc(1024 * 1024)
      const count = readSync(descriptor, chunk)
      if (count === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, count))
    }
  } finally {
    closeSync(descriptor)
  }
}
