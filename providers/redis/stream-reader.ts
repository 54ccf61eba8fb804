import type { Entry } from '../../lib/comet-state-provider.ts'
import { entryOf, type StreamEntry } from './entry-fields.ts'
import type { Link } from './link.ts'
import { within } from './time-limit.ts'

const ENTRIES_PER_READ = 1000

/** The entries that come next are not those that come next in the log: some are gone. */
export class PlaceIsGone extends Error {
  override readonly name = 'PlaceIsGone'
}

/** Reads the stream of a channel, by a connection that nobody else uses. */
export class StreamReader {
  readonly #link: Link
  readonly #stream: string
  readonly #answerMs: number

  /**
   * @param stream the key of the log
   * @param answerMs how long an answer may take, before the server is taken for out of reach; how long a read waits for
   *   news at the server, too
   */
  constructor(link: Link, stream: string, answerMs: number) {
    this.#link = link
    this.#stream = stream
    this.#answerMs = answerMs
  }

  /** All entries above one id, up to another one that there is. Throws {@link PlaceIsGone} if one is missing. */
  async window(after: number, head: number): Promise<Entry[]> {
    const entries: Entry[] = []
    for (let last = after; last < head; last = entries.at(-1)!.id) {
      const range = [`${last + 1}-0`, `${head}-0`, 'COUNT', String(ENTRIES_PER_READ)]
      const page = (await this.#send(['XRANGE', this.#stream, ...range], this.#answerMs)) as StreamEntry[]
      if (page.length === 0) throw new PlaceIsGone('entries of the window are gone')
      entries.push(...entriesBehind(last, page))
    }
    return entries
  }

  /** Waits for what comes behind an id, and for a time only: then there is nothing. */
  async next(after: number): Promise<readonly StreamEntry[]> {
    const options = ['BLOCK', String(this.#answerMs), 'COUNT', String(ENTRIES_PER_READ)]
    const args = ['XREAD', ...options, 'STREAMS', this.#stream, `${after}-0`]
    const reply = (await this.#send(args, 2 * this.#answerMs)) as [[string, StreamEntry[]]] | null
    return reply === null ? [] : reply[0][1]
  }

  async #send(args: readonly string[], ms: number): Promise<unknown> {
    const endsAt = performance.now() + ms
    const connection = await within(endsAt, this.#link.connected(endsAt))
    try {
      return await within(endsAt, connection.send(args))
    } catch (error) {
      this.#link.drop(connection)
      throw error
    }
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
