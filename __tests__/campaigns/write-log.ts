import { readFileSync } from 'node:fs'

/** What a process did to one of the files, as record-writes.c has logged it. */
export interface LoggedWrite {
  readonly what: 'write' | 'truncate' | 'sync' | 'unlink'
  readonly path: string
  /** Where it was written; of `truncate`: the new size. */
  readonly offset: number
  readonly bytes: Buffer
}

const HEADER_BYTES = 16

const WHAT = { 2: 'write', 3: 'truncate', 4: 'sync', 5: 'unlink' } as const
const NAME = 1

export function readWriteLog(file: string): LoggedWrite[] {
  const log = readFileSync(file)
  const paths: string[] = []
  const writes: LoggedWrite[] = []
  for (let at = 0; at < log.length; ) {
    const what = log.readUInt8(at)
    const number = log.readUInt8(at + 1)
    const length = log.readUInt32LE(at + 4)
    const offset = Number(log.readBigUInt64LE(at + 8))
    const begin = at + HEADER_BYTES
    const bytes = log.subarray(begin, begin + length)
    at = begin + length
    if (what === NAME) paths[number] = bytes.toString()
    else writes.push({ what: WHAT[what as keyof typeof WHAT], path: paths[number]!, offset, bytes })
  }
  return writes
}
