import type { Entry, Retention } from './comet-state-provider.ts'
import { EntryList } from './entry-list.ts'
import { EVERYBODY } from './topics.ts'

/** An entry with what its retention needs to know. */
export interface Retained<E extends Entry = Entry> {
  readonly id: number
  readonly entry: E
  /** Milliseconds on the window's clock. */
  readonly addedAt: number
  /** About what the entry takes in an answer. */
  readonly bytes: number
}

/** About what a message's element adds to its name and contents in an answer, and an entry to them in memory. */
const ENTRY_OVERHEAD_BYTES = 64

/** About what an index takes in memory for a topic that no other message bears. */
const TOPIC_BYTES = 500

/**
 * The newest entries of a log, bounded by seconds, messages and bytes: the oldest go first. The newest one stays
 * until its time is over, even if it alone is over the bytes.
 */
export class RetainedWindow {
  readonly #now: () => number
  readonly #dropped: (retained: Retained) => void
  readonly #entries = new EntryList<Retained>()
  #retention: Retention
  #trimmedThrough: number
  #bytes = 0
  #messages = 0

  /**
   * @param trimmedThrough the position before the first entry
   * @param now milliseconds on a clock that never jumps
   * @param dropped is told of each that goes
   */
  constructor(
    retention: Retention,
    trimmedThrough: number,
    now: () => number,
    dropped: (retained: Retained) => void = () => {},
  ) {
    this.#retention = retention
    this.#trimmedThrough = trimmedThrough
    this.#now = now
    this.#dropped = dropped
  }

  /** Entries up to here may be missing. */
  get trimmedThrough(): number {
    return this.#trimmedThrough
  }

  get messageCount(): number {
    return this.#messages
  }

  /** About what the entries and their addresses take in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** From now on as much is retained. */
  retain(retention: Retention): void {
    this.#retention = retention
  }

  /** Adds the next entry, whose id is above all others. */
  add<E extends Entry>(entry: E): Retained<E> {
    const retained = { id: entry.id, entry, addedAt: this.#now(), bytes: sizeOf(entry) }
    this.#entries.push(retained)
    this.#count(retained, 1)
    return retained
  }

  /** Drops what is over the retention at this moment, by the window's clock. */
  trim(now = this.#now()): void {
    const { seconds, messages, bytes } = this.#retention
    const horizon = now - seconds * 1000
    for (let oldest = this.#entries.oldest; oldest !== undefined; oldest = this.#entries.oldest) {
      const overrun = this.#messages > messages || this.#bytes > bytes
      if (oldest.addedAt > horizon && !(overrun && this.#entries.length > 1)) return
      this.#entries.dropOldest()
      this.#trimmedThrough = oldest.id
      this.#count(oldest, -1)
      this.#dropped(oldest)
    }
  }

  /** The entries above `id`, in order. Only whole if `id` is not below `trimmedThrough`. */
  *entriesAfter(id: number): Generator<Entry> {
    const { length } = this.#entries
    for (let index = this.#entries.indexAfter(id); index < length; index++) {
      yield this.#entries.at(index)!.entry
    }
  }

  #count({ entry, bytes }: Retained, sign: 1 | -1): void {
    this.#bytes += sign * (bytes + addressBytes(entry))
    if (entry.kind === 'message') this.#messages += sign
  }
}

/** About what an entry takes of the bytes of a retention. */
export function retainedBytes(entry: Entry): number {
  return sizeOf(entry) + addressBytes(entry)
}

/** What the addresses of an entry take: a list and a place in the index for each topic that few share. */
function addressBytes(entry: Entry): number {
  if (entry.kind === 'join' || entry.kind === 'leave') return TOPIC_BYTES + entry.group.length
  if (entry.kind === 'update') return entry.groups.reduce((sum, { length }) => sum + TOPIC_BYTES + length, 0)
  if (entry.kind !== 'message') return 0
  let sum = 0
  for (const topic of entry.topics) if (topic !== EVERYBODY) sum += TOPIC_BYTES + topic.length
  for (const publicToken of entry.except) sum += publicToken.length
  return sum
}

function sizeOf(entry: Entry): number {
  switch (entry.kind) {
    case 'message':
      return ENTRY_OVERHEAD_BYTES + Buffer.byteLength(entry.name) + Buffer.byteLength(entry.contents)
    case 'join':
    case 'leave':
    case 'update':
      return ENTRY_OVERHEAD_BYTES + Buffer.byteLength(JSON.stringify(entry))
    default:
      return ENTRY_OVERHEAD_BYTES
  }
}
