import { randomBytes } from 'node:crypto'
import type { Entry, RetainedLog, Retention } from '../../lib/comet-state-provider.ts'
import type { Cursor } from '../../lib/cursor.ts'
import { RetainedWindow } from '../../lib/retained-window.ts'

/** Until a provider opens it. */
const RETAIN_NOTHING: Retention = { seconds: 0, messages: 0, bytes: 0 }

/** Takes the entries of one channel in order. */
export type Follower = (entries: readonly Entry[]) => void

/** The log of one channel, and who follows it. */
export class ChannelLog {
  readonly epoch = randomBytes(12).toString('base64url')
  /** Microseconds since 1970, so that ids are above all that an earlier process can have given. */
  #head = Date.now() * 1000
  readonly #window: RetainedWindow
  readonly #followers = new Set<Follower>()
  #added: Entry[] = []

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#window = new RetainedWindow(RETAIN_NOTHING, this.#head, now)
  }

  /** The highest id given, or the position before the first. */
  get head(): number {
    return this.#head
  }

  get trimmedThrough(): number {
    return this.#window.trimmedThrough
  }

  /** Sets how much is retained from now on. */
  retain(retention: Retention): void {
    this.#window.retain(retention)
  }

  trim(): void {
    this.#window.trim()
  }

  retained(): RetainedLog {
    this.#window.trim()
    return {
      epoch: this.epoch,
      entries: [...this.#window.entriesAfter(this.#window.trimmedThrough)],
      head: this.#head,
      trimmedThrough: this.#window.trimmedThrough,
    }
  }

  /** Feeds the follower all that is added from now on. The returned function ends that. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  /** Adds an entry, which is fed by the next `feed`. */
  add(entryOf: (id: number) => Entry): Cursor {
    this.#head += 1
    const entry = Object.freeze(entryOf(this.#head))
    this.#window.add(entry)
    this.#window.trim()
    this.#added.push(entry)
    return { epoch: this.epoch, messageId: this.#head }
  }

  /** Tells the followers what was added since. */
  feed(): void {
    const added = this.#added
    this.#added = []
    if (added.length > 0) for (const follower of this.#followers) follower(added)
  }
}
