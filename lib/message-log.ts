import type { Entry, MessageEntry, RetainedLog, Retention } from './comet-state-provider.ts'
import type { Cursor } from './cursor.ts'
import { EntryList } from './entry-list.ts'
import {
  NONE,
  type Place,
  PlaceFinder,
  type SubscriptionVisitor,
  type TopicList,
  takeNext,
  withNext,
} from './places.ts'
import { type MessageOf, messageOnly } from './presence.ts'
import { type Retained, RetainedWindow } from './retained-window.ts'
import { EVERYBODY } from './topics.ts'
import { RESERVED_PREFIX } from './wire.ts'

/** What the log knows of one reader: whom it is, as far as addresses go. Messages to everybody reach it above its floor. */
export interface Reader {
  /** Nothing up to this id is for this reader, whatever cursor it brings. */
  readonly floor: number
  /** An id from which on nothing is for this reader any more: that of its removal. */
  readonly end?: number | undefined
  /** What was for this reader up to here may be missing, though the log has it. */
  readonly lostThrough?: number | undefined
  /** Visits each interval of ids in which a topic addresses the reader: above `after`, below `before`. */
  forEachSubscription(visit: SubscriptionVisitor): void
  /** A message that names this public token in `except` is not for this reader. */
  readonly publicToken: string
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

/** What all read from a position of this interval on, since all that comes after it is to everybody. */
interface CommonRead {
  readonly from: number
  readonly before: number
  readonly maxBytes: number
  readonly result: ReadResult
}

/**
 * The retained window of a channel's log, in memory on every node, indexed by topic. It is what all reads are
 * answered from. Entries are applied one by one, in order.
 */
export class MessageLog {
  readonly #retention: Retention
  readonly #messageOf: MessageOf
  readonly #now: () => number
  #epoch = ''
  #head = 0
  #window: RetainedWindow
  readonly #byTopic = new Map<string, TopicList>()
  readonly #finder = new PlaceFinder(this.#byTopic)
  /** All messages above this id are to everybody, without an exception. */
  #commonAfter = 0
  /** Of the newest head. In a broadcast thousands read the same. */
  #common: CommonRead | undefined

  /**
   * @param now milliseconds on a clock that never jumps
   * @param messageOf which entries are messages to readers
   */
  constructor(
    retention: Retention,
    now: () => number = () => performance.now(),
    messageOf: MessageOf = messageOnly,
  ) {
    this.#retention = retention
    this.#messageOf = messageOf
    this.#now = now
    this.#window = this.#emptyWindow(0)
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
    return this.#window.trimmedThrough
  }

  get messageCount(): number {
    return this.#window.messageCount
  }

  /** About what the entries take in memory. */
  get bytes(): number {
    return this.#window.bytes
  }

  /** Begins anew with what a store has retained. */
  reset({ epoch, entries, head, trimmedThrough }: RetainedLog): void {
    this.#epoch = epoch
    this.#head = trimmedThrough
    this.#window = this.#emptyWindow(trimmedThrough)
    this.#byTopic.clear()
    this.#commonAfter = trimmedThrough
    this.#common = undefined
    for (const entry of entries) this.apply(entry)
    this.#head = Math.max(this.#head, head)
  }

  /**
   * Takes the next entry. Its id must be above the head: throws a RangeError otherwise.
   * @returns the message that it is to those whom it addresses, if it is one
   */
  apply(entry: Entry): MessageEntry | undefined {
    if (entry.id <= this.#head) {
      throw new RangeError(`The provider must feed rising ids: it fed ${entry.id} after ${this.#head}.`)
    }
    this.#head = entry.id
    this.#common = undefined
    const retained = this.#window.add(entry)
    const message = this.#messageOf(entry)
    // A message is its own entry: most need no second object.
    if (message) {
      if (!isToAll(message)) this.#commonAfter = entry.id
      this.#index(message === entry ? (retained as Retained<MessageEntry>) : { ...retained, entry: message })
    }
    this.#window.trim(retained.addedAt)
    return message
  }

  /** Drops what is over the retention. */
  trim(): void {
    this.#window.trim()
  }

  /** The entries above `id`, in order. Only whole if `id` is not below `trimmedThrough`. */
  entriesAfter(id: number): Iterable<Entry> {
    return this.#window.entriesAfter(id)
  }

  /**
   * All that is addressed to the reader after its cursor, up to `maxBytes` but at least one message. Synchronous,
   * made at the moment of writing: what it returns is never stale, and `through` never beyond what was applied.
   */
  read(reader: Reader, cursor: Cursor, maxBytes: number): ReadResult {
    const reset = this.lossSince(reader, cursor)
    const position = reset?.messageId ?? Math.max(cursor.messageId, reader.floor)
    if (reset) return { ...this.#readAlone(reader, position, maxBytes), reset }
    const isAsAll = position >= this.#commonAfter && reader.end === undefined
    return isAsAll ? this.#readAsAll(reader, position, maxBytes) : this.#readAlone(reader, position, maxBytes)
  }

  #readAlone(reader: Reader, position: number, maxBytes: number): ReadResult {
    const places = position < this.#head ? this.#finder.find(reader, position, reader.end) : NONE
    return this.#collect(reader, places, position, maxBytes)
  }

  /** The same object to all who read from there. */
  #readAsAll(reader: Reader, position: number, maxBytes: number): ReadResult {
    const known = this.#common
    const isKnown = known !== undefined && known.from <= position && position < known.before
    if (isKnown && known.maxBytes === maxBytes) return known.result
    const result = this.#readAlone(reader, position, maxBytes)
    this.#common = { from: position, before: result.messages[0]?.id ?? this.#head + 1, maxBytes, result }
    return result
  }

  /** What there is in the places, up to `maxBytes`. */
  #collect(reader: Reader, places: readonly Place[], position: number, maxBytes: number): ReadResult {
    let messages: readonly MessageEntry[] = NONE
    let bytes = 0
    for (let next = takeNext(places); next !== undefined; next = takeNext(places)) {
      const { except } = next.entry
      if (except.length > 0 && except.includes(reader.publicToken)) continue
      bytes += next.bytes
      if (bytes > maxBytes && messages.length > 0)
        return { messages, through: messages[messages.length - 1]!.id }
      messages = withNext(messages, next.entry)
    }
    return { messages, through: Math.max(position, this.#head) }
  }

  /** The newest so many messages that the app sent to a topic, in their order, but for those that except the reader. */
  newest(topic: string, limit: number, reader?: string): MessageEntry[] {
    const list = this.#byTopic.get(topic)
    const found: MessageEntry[] = []
    for (let index = (list?.length ?? 0) - 1; index >= 0 && found.length < limit; index--) {
      const { entry } = list!.at(index)!
      // Notices are of the moment.
      const isNotice = entry.name.startsWith(RESERVED_PREFIX)
      if (!isNotice && (reader === undefined || !entry.except.includes(reader))) found.push(entry)
    }
    return found.reverse()
  }

  /** Whether something after the cursor may be missing. */
  lossSince(reader: Reader, cursor: Cursor): ReadReset | undefined {
    const lostThrough = Math.max(this.trimmedThrough, reader.lostThrough ?? 0)
    const messageId = Math.max(lostThrough, reader.floor)
    if (cursor.epoch !== this.#epoch || cursor.messageId > this.#head) return { reason: 'epoch', messageId }
    const position = Math.max(cursor.messageId, reader.floor)
    return position < lostThrough ? { reason: 'trimmed', messageId } : undefined
  }

  #emptyWindow(trimmedThrough: number): RetainedWindow {
    return new RetainedWindow(this.#retention, trimmedThrough, this.#now, (dropped) => {
      const message = this.#messageOf(dropped.entry)
      if (message) this.#unindex(message)
    })
  }

  #index(message: Retained<MessageEntry>): void {
    for (const topic of message.entry.topics) {
      const known = this.#byTopic.get(topic)
      const list = known ?? new EntryList()
      if (!known) this.#byTopic.set(topic, list)
      list.push(message)
    }
  }

  /** The oldest of all is the oldest of each of its topics. */
  #unindex({ topics }: MessageEntry): void {
    for (const topic of topics) {
      const list = this.#byTopic.get(topic)!
      list.dropOldest()
      if (list.length === 0) this.#byTopic.delete(topic)
    }
  }
}

function isToAll({ topics, except }: MessageEntry): boolean {
  return except.length === 0 && topics.length === 1 && topics[0] === EVERYBODY
}
