import type { Database, Statement } from 'better-sqlite3'
import type { Entry, ProviderListener } from '../../lib/comet-state-provider.ts'
import type { ChannelRow } from './channel-row.ts'
import type { StoredChannel } from './stored-channel.ts'
import { type Committed, snapshot } from './write-transaction.ts'

/** How much is read in one turn of the event loop. */
const STEP_ENTRIES = 1000
const STEP_BYTES = 4 * 1024 * 1024

/** A window that is being read, before the listener is told of it. */
interface Loading {
  readonly trimmedThrough: number
  readonly entries: Entry[]
}

/**
 * Tells the listener what is committed, in the order of the ids, whoever wrote it. Ids are given within write
 * transactions, of which SQLite has one at a time: nothing below an id that is seen can appear later.
 */
export class EntryFeed {
  readonly #database: Database
  readonly #channel: StoredChannel
  readonly #listener: ProviderListener
  readonly #explain: (error: unknown) => unknown
  readonly #dataVersion: Statement<[], number>
  #epoch = ''
  #position = 0
  #loading: Loading | undefined
  #running: Promise<void> | undefined
  #seenVersion: number | undefined
  #hasBegun = false
  #isInTrouble = false
  #isStopped = false

  constructor(
    database: Database,
    channel: StoredChannel,
    listener: ProviderListener,
    explain: (error: unknown) => unknown,
  ) {
    this.#database = database
    this.#channel = channel
    this.#listener = listener
    this.#explain = explain
    this.#dataVersion = database.prepare<[], number>('PRAGMA data_version').pluck()
  }

  /** The life of the log that is told. */
  get epoch(): string {
    return this.#epoch
  }

  /** Whether others have written since the last look. Cheap: no table is read. */
  hasNews(): boolean {
    const version = this.#dataVersion.get()
    const isNew = version !== this.#seenVersion
    this.#seenVersion = version
    return isNew || this.#isInTrouble
  }

  /**
   * Resolves when all that the file held at the time of the call has been told. One at a time: one that is under way
   * reads until there is nothing left to read.
   */
  catchUp(): Promise<void> {
    // Not at once: its last step may be its first, and takes it away again.
    this.#running ??= Promise.resolve().then(() => this.#run())
    return this.#running
  }

  /** Our own commit. What it added need not be read again if nothing foreign lies between. Never rejects. */
  async committed({ before, epoch, added }: Committed<unknown>): Promise<void> {
    const last = added.at(-1)
    if (last === undefined || this.#isStopped) return
    const isIdle = this.#running === undefined && this.#loading === undefined
    const isNext = isIdle && epoch === this.#epoch && before === this.#position
    if (isNext) {
      this.#position = last.id
      this.#listener.entries(added)
    } else {
      // A failure is told to the listener.
      await this.catchUp().catch(() => {})
    }
  }

  /** The file cannot be read, or is not what it was. */
  fail(error: unknown): void {
    // Before the first reset there is nothing to lose touch with: the opening fails.
    if (this.#isInTrouble || this.#isStopped || !this.#hasBegun) return
    this.#isInTrouble = true
    this.#listener.unavailable(this.#explain(error))
  }

  stop(): void {
    this.#isStopped = true
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const isDone = await this.#channel.read(() => this.#isDone())
        if (isDone) return
        await new Promise(setImmediate)
      }
    } catch (error) {
      this.#running = undefined
      this.fail(error)
      throw error
    }
  }

  /** In one turn: who asks after the last step is not told that it was in it. */
  #isDone(): boolean {
    if (!this.#isStopped && this.#step()) return false
    this.#running = undefined
    return true
  }

  /** Returns whether there is more to read. */
  #step(): boolean {
    const { channel, entries } = snapshot(this.#database, () => {
      const channel = this.#channel.rows.read()
      this.#beginAnewIfLost(channel)
      return { channel, entries: this.#channel.entries.after(this.#position, STEP_ENTRIES, STEP_BYTES) }
    })
    this.#position = entries.at(-1)?.id ?? channel.head
    const more = this.#position < channel.head
    if (this.#loading) this.#load(this.#loading, entries, channel, more)
    else if (entries.length > 0) this.#listener.entries(entries)
    if (!more && this.#isInTrouble) {
      this.#isInTrouble = false
      this.#listener.available()
    }
    return more
  }

  /** Another life of the log, or one that has dropped what was not read yet, or has lost what was. */
  #beginAnewIfLost({ epoch, trimmedThrough, head }: ChannelRow): void {
    const isWhole = trimmedThrough <= this.#position && this.#position <= head
    if (epoch === this.#epoch && isWhole) return
    this.#epoch = epoch
    this.#position = trimmedThrough
    this.#loading = { trimmedThrough, entries: [] }
  }

  #load(loading: Loading, entries: readonly Entry[], { epoch, head }: ChannelRow, more: boolean): void {
    loading.entries.push(...entries)
    if (more) return
    this.#loading = undefined
    this.#isInTrouble = false
    this.#hasBegun = true
    this.#listener.reset({ epoch, head, ...loading })
  }
}
