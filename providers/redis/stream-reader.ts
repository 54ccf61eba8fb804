import type { Entry } from '../../lib/comet-state-provider.ts'
import type { Place, Position } from './channel-calls.ts'
import type { Connection } from './connection.ts'
import { entryOf, type StreamEntry } from './entry-fields.ts'
import { TimeIsUp, within } from './time-limit.ts'

const MAX_ENTRIES_PER_READ = 1000

const MAX_WAIT_MS = 5000

/** A page that takes less of its time than this leaves room for one twice as long. */
const QUICK_SHARE = 0.25

/** The entries that come next are not those that come next in the log: some are gone. */
export class PlaceIsGone extends Error {
  override readonly name = 'PlaceIsGone'
}

/** Whether all that comes behind a position is there. */
export function reachesBackTo<P extends Position>(place: Place, position: P | undefined): position is P {
  return position?.epoch === place.epoch && place.trimmedThrough <= position.head
}

/** The retained entries of a life of the log, as far as they have been read. */
export class Window implements Position {
  readonly epoch: string
  readonly trimmedThrough: number
  readonly entries: Entry[] = []

  constructor({ epoch, trimmedThrough }: Place) {
    this.epoch = epoch
    this.trimmedThrough = trimmedThrough
  }

  get head(): number {
    return this.entries.at(-1)?.id ?? this.trimmedThrough
  }
}

/**
 * How many entries are asked for at once: so many that their bytes come in the time that an answer may take. One that did
 * not come is followed by one entry alone, since nobody knows how much was too much, and then by twice as many each time.
 */
class PageSize {
  readonly #quickMs: number
  #entries: number

  constructor(entries: number, answerMs: number) {
    this.#entries = entries
    this.#quickMs = answerMs * QUICK_SHARE
  }

  /** @param read reads so many, or less if there are no more */
  async read<T>(read: (entries: number) => Promise<readonly T[]>): Promise<readonly T[]> {
    const entries = this.#entries
    const askedAt = performance.now()
    try {
      const page = await read(entries)
      const isQuick = performance.now() - askedAt < this.#quickMs
      if (isQuick && page.length === entries) this.#entries = Math.min(2 * entries, MAX_ENTRIES_PER_READ)
      return page
    } catch (error) {
      if (error instanceof TimeIsUp) this.#entries = 1
      throw error
    }
  }
}

/** Reads the stream of a channel, by a connection that nobody else uses meanwhile. */
export class StreamReader {
  /** How long to wait for news: not for ever, so that a server which has died is noticed. */
  readonly waitMs: number
  readonly #stream: string
  readonly #answerMs: number
  /** A window can be large, and whoever opens a channel waits for it: it begins with what comes in any case. */
  readonly #windowPages: PageSize
  readonly #newPages: PageSize

  /**
   * @param stream the key of the log
   * @param answerMs how long an answer may take, before the server is taken for out of reach
   */
  constructor(stream: string, answerMs: number) {
    this.waitMs = Math.min(answerMs, MAX_WAIT_MS)
    this.#stream = stream
    this.#answerMs = answerMs
    this.#windowPages = new PageSize(1, answerMs)
    this.#newPages = new PageSize(MAX_ENTRIES_PER_READ, answerMs)
  }

  /** The next entries above one id, up to another one that there is. Throws {@link PlaceIsGone} if one is missing. */
  async window(connection: Connection, after: number, head: number): Promise<Entry[]> {
    const page = await this.#windowPages.read(async (entries) => {
      const args = ['XRANGE', this.#stream, `${after + 1}-0`, `${head}-0`, 'COUNT', String(entries)]
      return (await this.#send(connection, args)) as StreamEntry[]
    })
    if (page.length === 0) throw new PlaceIsGone('entries of the window are gone')
    return entriesBehind(after, page)
  }

  /**
   * What comes behind an id, or nothing.
   * @param waitMs how long to wait for it, up to {@link waitMs}; 0: not at all
   */
  next(connection: Connection, after: number, waitMs: number): Promise<readonly StreamEntry[]> {
    const waiting = waitMs > 0 ? ['BLOCK', String(waitMs)] : []
    return this.#newPages.read(async (entries) => {
      const args = ['XREAD', ...waiting, 'COUNT', String(entries), 'STREAMS', this.#stream, `${after}-0`]
      const reply = (await this.#send(connection, args, waitMs)) as [[string, StreamEntry[]]] | null
      return reply === null ? [] : reply[0][1]
    })
  }

  #send(connection: Connection, args: readonly string[], waitMs = 0): Promise<unknown> {
    return within(performance.now() + waitMs + this.#answerMs, connection.send(args))
  }
}

/** These, if they are what comes right behind an id: ids follow each other without a gap within a life of the log. */
export function entriesBehind(id: number, page: readonly StreamEntry[]): Entry[] {
  return page.map((each, index) => {
    const entry = entryOf(each)
    if (entry.kind === 'epoch' || entry.id !== id + 1 + index) throw new PlaceIsGone('entries are gone')
    return entry
  })
}
