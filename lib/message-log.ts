import type { Entry, MessageEntry, RetainedLog, Retention } from './comet-state-provider.ts'
import type { Cursor } from './cursor.ts'
import { EntryList } from './entry-list.ts'
import { EVERYBODY } from './topics.ts'

/** What the log knows of one reader: whom it is, as far as addresses go. */
export interface Reader {
  /** Nothing up to this id is for this reader, whatever cursor it brings. */
  readonly floor: number
  /** An id from which on nothing is for this reader any more: that of its removal. */
  readonly end?: number | undefined
  readonly subscriptions: readonly Subscription[]
  /** A message that names this public token in `except` is not for this reader. */
  readonly publicToken: string
}

/** An interval of ids in which a reader is addressed by a topic: above `after`, below `before`. */
export interface Subscription {
  readonly topic: string
  readonly after: number
  readonly before?: number
}

/** What one read found. */
export interface ReadResult {
  /** In order of their ids, each once. */
  readonly messages: readonly MessageEntry[]
  /** Everything up to here that is addressed to the reader is in `messages`, or came before. */
  readonly through: number
  /** Set if something between the cursor and `messages` may be missing. */
  readonly reset?: ReadReset
}

export interface ReadReset {
  readonly reason: 'epoch' | 'trimmed'
  /** The position from which on nothing is missing. */
  readonly messageId: number
}

/** About what a message's element adds to its name and contents in an answer, and an entry to them in memory. */
const MESSAGE_OVERHEAD_BYTES = 64

/** About what the index takes in memory for a topic that no other message bears. */
const TOPIC_BYTES = 500

/**
 * The retained window of a channel's log, in memory on every node, indexed by topic. It is what all reads are
 * answered from. Entries are applied one by one, in order; what is over the retention goes, oldest first.
 */
export class MessageLog {
  readonly #retention: Retention
  readonly #now: () => number
  #epoch = ''
  #head = 0
  #trimmedThrough = 0
  #bytes = 0
  #messages = 0
  #entries = new EntryList<Logged>()
  #byTopic = new Map<string, EntryList<Logged<MessageEntry>>>()

  /** @param now milliseconds on a clock that never jumps */
  constructor(retention: Retention, now: () => number = () => performance.now()) {
    this.#retention = retention
    this.#now = now
  }

  get epoch(): string {
    return this.#epoch
  }

  /** The id of the newest entry applied, or the position before the first. */
  get head(): number {
    return this.#head
  }

  /** Entries up to here may be missing. */
  get trimmedThrough(): number {
    return this.#trimmedThrough
  }

  get messageCount(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Begins anew with what a store has retained. */
  reset(log: RetainedLog): void {
    this.#epoch = log.epoch
    this.#trimmedThrough = log.trimmedThrough
    this.#head = log.trimmedThrough
    this.#bytes = 0
    this.#messages = 0
    this.#entries = new EntryList()
    this.#byTopic = new Map()
    for (const entry of log.entries) this.apply(entry)
    this.#head = Math.max(this.#head, log.head)
  }

  /** Takes the next entry. Its id must be above the head: throws a RangeError otherwise. */
  apply(entry: Entry): void {
    if (entry.id <= this.#head) {
      throw new RangeError(`The provider must feed rising ids: it fed ${entry.id} after ${this.#head}.`)
    }
    this.#head = entry.id
    const logged = { id: entry.id, entry, appliedAt: this.#now(), bytes: sizeOf(entry) }
    this.#entries.push(logged)
    this.#bytes += logged.bytes + addressBytes(entry)
    if (isMessage(logged)) this.#index(logged)
    this.trim()
  }

  /** Drops what is over the retention. The newest entry stays even if it alone is over the bytes. */
  trim(): void {
    const { seconds, messages, bytes } = this.#retention
    const horizon = this.#now() - seconds * 1000
    for (let oldest = this.#entries.oldest; oldest !== undefined; oldest = this.#entries.oldest) {
      const overrun = this.#messages > messages || this.#bytes > bytes
      if (oldest.appliedAt > horizon && !(overrun && this.#entries.length > 1)) return
      this.#dropOldest(oldest)
    }
  }

  /** The entries above `id`, in order. Only whole if `id` is not below `trimmedThrough`. */
  *entriesAfter(id: number): Generator<Entry> {
    const { length } = this.#entries
    for (let index = this.#entries.indexAfter(id); index < length; index++) {
      yield this.#entries.at(index)!.entry
    }
  }

  /**
   * All that is addressed to the reader after its cursor, up to `maxBytes` but at least one message. Synchronous,
   * made at the moment of writing: what it returns is never stale, and `through` never beyond what was applied.
   */
  read(reader: Reader, cursor: Cursor, maxBytes: number): ReadResult {
    const reset = this.lossSince(reader, cursor)
    const position = reset?.messageId ?? Math.max(cursor.messageId, reader.floor)
    const messages: MessageEntry[] = []
    let bytes = 0
    let through = Math.max(position, this.#head)
    for (const logged of this.#addressedTo(reader, position)) {
      bytes += logged.bytes
      if (bytes > maxBytes && messages.length > 0) {
        through = messages[messages.length - 1]!.id
        break
      }
      messages.push(logged.entry)
    }
    return reset ? { messages, through, reset } : { messages, through }
  }

  /** Whether something after the cursor may be missing. */
  lossSince(reader: Reader, cursor: Cursor): ReadReset | undefined {
    const messageId = Math.max(this.#trimmedThrough, reader.floor)
    if (cursor.epoch !== this.#epoch || cursor.messageId > this.#head) return { reason: 'epoch', messageId }
    const position = Math.max(cursor.messageId, reader.floor)
    return position < this.#trimmedThrough ? { reason: 'trimmed', messageId } : undefined
  }

  /** Merges the reader's topics by id; a message that bears several of them comes once. */
  *#addressedTo(reader: Reader, position: number): Generator<Logged<MessageEntry>> {
    const end = reader.end ?? Number.POSITIVE_INFINITY
    const places: { list: EntryList<Logged<MessageEntry>>; index: number; before: number }[] = []
    for (const { topic, after, before } of reader.subscriptions) {
      const list = this.#byTopic.get(topic)
      if (list === undefined || list.newest!.id <= position) continue
      places.push({
        list,
        index: list.indexAfter(Math.max(position, after)),
        before: Math.min(before ?? end, end),
      })
    }
    for (;;) {
      let next: Logged<MessageEntry> | undefined
      for (const place of places) {
        const candidate = place.list.at(place.index)
        if (candidate && candidate.id < place.before && (!next || candidate.id < next.id)) next = candidate
      }
      if (next === undefined) return
      for (const place of places) if (place.list.at(place.index) === next) place.index += 1
      if (!next.entry.except.includes(reader.publicToken)) yield next
    }
  }

  #index(message: Logged<MessageEntry>): void {
    this.#messages += 1
    for (const topic of message.entry.topics) {
      const list = this.#byTopic.get(topic) ?? new EntryList()
      this.#byTopic.set(topic, list)
      list.push(message)
    }
  }

  #dropOldest({ id, entry, bytes }: Logged): void {
    this.#entries.dropOldest()
    this.#trimmedThrough = id
    this.#bytes -= bytes + addressBytes(entry)
    if (entry.kind !== 'message') return
    this.#messages -= 1
    for (const topic of entry.topics) {
      const list = this.#byTopic.get(topic)!
      list.dropOldest()
      if (list.length === 0) this.#byTopic.delete(topic)
    }
  }
}

interface Logged<E extends Entry = Entry> {
  readonly id: number
  readonly entry: E
  /** Milliseconds on the log's clock. */
  readonly appliedAt: number
  readonly bytes: number
}

function isMessage(logged: Logged): logged is Logged<MessageEntry> {
  return logged.entry.kind === 'message'
}

/** What the addresses of an entry take: a list and a place in the index for each topic that few share. */
function addressBytes(entry: Entry): number {
  if (entry.kind !== 'message') return 0
  const own = entry.topics.reduce(
    (sum, topic) => sum + (topic === EVERYBODY ? 0 : TOPIC_BYTES + topic.length),
    0,
  )
  return entry.except.reduce((sum, publicToken) => sum + publicToken.length, own)
}

/** What an entry takes in an answer. */
function sizeOf(entry: Entry): number {
  if (entry.kind !== 'message') return MESSAGE_OVERHEAD_BYTES
  return MESSAGE_OVERHEAD_BYTES + Buffer.byteLength(entry.name) + Buffer.byteLength(entry.contents)
}
