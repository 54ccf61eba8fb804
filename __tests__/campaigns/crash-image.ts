import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import type { RetainedLog } from '../../lib/comet-state-provider.ts'
import { messagesOf, sendNumbered } from './numbered.ts'
import { RETENTION } from './power-marks.ts'
import type { PowerPromise, RevivedChannel } from './power-promise.ts'

/** The files of a database as a power cut has left them; by what their names end in after the database's. */
export type CrashImage = ReadonlyMap<string, Buffer>

/** What SQLite alone says of an image: whether it is sound, and the head of its log, 0 if it has none. */
export interface BareImage {
  readonly integrity: string
  readonly head: number
}

/** Puts the image into a folder of its own for as long as somebody looks at it. */
export async function withImage<T>(
  folder: string,
  image: CrashImage,
  look: (file: string) => T | Promise<T>,
): Promise<T> {
  const own = await mkdtemp(join(folder, 'image-'))
  try {
    const file = join(own, 'image.db')
    for (const [suffix, bytes] of image) writeFileSync(`${file}${suffix}`, bytes)
    return await look(file)
  } finally {
    await rm(own, { recursive: true })
  }
}

export function bareImage(file: string): BareImage {
  const database = new Database(file)
  try {
    // Nothing of this is to last.
    database.pragma('synchronous = OFF')
    const integrity = String(database.pragma('integrity_check', { simple: true }))
    const isMade = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'comet_channels'").get()
    const head = isMade && database.prepare('SELECT max(head) FROM comet_channels').pluck().get()
    return { integrity, head: Number(head ?? 0) }
  } finally {
    database.close()
  }
}

/** Opens the image by the provider, and goes on with it. */
export async function revive(
  file: string,
  promise: PowerPromise,
  durability: 'full' | 'normal',
): Promise<RevivedChannel> {
  const provider = new SqliteCometStateProvider(file, { durability })
  let log: RetainedLog | undefined
  await provider.open(
    'comet',
    {
      reset: (told) => {
        log = told
      },
      entries: () => {},
      unavailable: () => {},
      available: () => {},
    },
    RETENTION,
  )
  try {
    const clients = new Map<string, 'there' | 'stopped' | undefined>()
    for (const hash of promise.clients) {
      const record = await provider.getClient(hash)
      clients.set(hash, typeof record === 'object' ? 'there' : record)
    }
    const { lastAcknowledged, lastNumber } = promise
    const [repeated] = lastAcknowledged ? await provider.append([sendNumbered(lastAcknowledged[0])]) : []
    // Without a key, which an entry that was not told of may have.
    const { key: _key, ...next } = sendNumbered(lastNumber + 1)
    const [sent] = await provider.append([next])
    const { epoch, head, entries } = log!
    return {
      epoch,
      head,
      messages: messagesOf(entries),
      clients,
      repeatedId: idOf(repeated),
      nextId: idOf(sent)!,
    }
  } finally {
    await provider.close()
  }
}

function idOf(outcome: object | undefined): number | undefined {
  return outcome && 'id' in outcome ? Number(outcome.id) : undefined
}
