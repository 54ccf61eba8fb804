import { setTimeout as pause } from 'node:timers/promises'
import type { Entry, ProviderListener } from '../../lib/comet-state-provider.ts'
import { Arrivals } from './arrivals.ts'
import type { ChannelCalls, Place, Position, Seen } from './channel-calls.ts'
import type { Connection } from './connection.ts'
import { beginsLife, entryOf, type StreamEntry } from './entry-fields.ts'
import type { Link } from './link.ts'
import { entriesBehind, PlaceIsGone, reachesBackTo, type StreamReader, Window } from './stream-reader.ts'
import { within } from './time-limit.ts'

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

/** The first wait by a connection shows soon whether the server lets us wait. */
const FIRST_WAIT_MS = 1

/**
 * Tells the listener of the stream, in order, each entry once. What has been dropped before it was read, or belongs to
 * another life of the log, is noticed, and then the window is told anew.
 */
export class EntryFeed {
  readonly #link: Link
  readonly #calls: ChannelCalls
  readonly #stream: StreamReader
  readonly #listener: ProviderListener
  readonly #answerMs: number
  readonly #explain: (error: unknown) => Error
  /** Aborted when the listener is to be told no more. */
  readonly #stopped: AbortSignal
  readonly #arrivals: Arrivals
  /** By this one the server has said where its log is. Undefined: it has to be asked. */
  #connection: Connection | undefined
  /** What it will be told of anew, if its place is gone. */
  #window: Window | undefined
  /** How many reads have failed, one after the other. */
  #failures = 0
  #broughtAt = 0
  #following: Promise<void> | undefined
  #isInTrouble = false

  /**
   * @param link by which the stream is read
   * @param calls by the same, so that both speak of one server
   * @param answerMs how long an answer may take, before the server is taken for out of reach
   */
  constructor(
    link: Link,
    calls: ChannelCalls,
    stream: StreamReader,
    listener: ProviderListener,
    answerMs: number,
    explain: (error: unknown) => Error,
  ) {
    this.#link = link
    this.#calls = calls
    this.#stream = stream
    this.#listener = listener
    this.#answerMs = answerMs
    this.#explain = explain
    this.#stopped = link.closed
    this.#arrivals = new Arrivals(link.closed)
  }

  /** Tells the listener of the window, and from then on of all that comes. Rejects if the stream cannot be read. */
  async start(): Promise<void> {
    // It does not wait, so that nobody waits for it.
    await this.#read(0)
    this.#failures = 0
    this.#following ??= this.#follow()
  }

  /** Resolves when it has stopped. */
  async ended(): Promise<void> {
    await this.#following
  }

  /** How far that is, and how long ago it came. */
  seen(): Seen | undefined {
    const { position, movedAt } = this.#arrivals
    return position && { ...position, agoMs: Math.floor(performance.now() - movedAt) }
  }

  /** Whether the listener is being told of this life of the log. */
  follows({ epoch }: Position): boolean {
    return this.#arrivals.position?.epoch === epoch
  }

  /** Whether something of this life of the log has come since a moment, be it that much is to come still. */
  hasBrought({ epoch }: Position, since: number): boolean {
    const { epoch: read } = this.#window ?? this.#arrivals.position ?? {}
    return read === epoch && this.#broughtAt > since
  }

  /** As {@link Arrivals.reached}. */
  reached(position: Position, endsAt: number): Promise<void> {
    return this.#arrivals.reached(position, endsAt)
  }

  async #follow(): Promise<void> {
    while (!this.#stopped.aborted) {
      try {
        await this.#read()
        this.#tellAvailable()
      } catch (error) {
        this.#tellUnavailable(error)
        const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 2), LONGEST_PAUSE_MS)
        await pause(pauseMs, undefined, { signal: this.#stopped }).catch(() => {})
      }
    }
  }

  /** Reads on. A connection that is lost may be back at once, and then nobody has to know: tries again, once. */
  async #read(waitMs?: number): Promise<void> {
    for (;;) {
      try {
        return await this.#readOnce(waitMs)
      } catch (error) {
        this.#giveUp(error)
        if (this.#failures > 1 || this.#stopped.aborted) throw error
      }
    }
  }

  async #readOnce(waitMs = this.#connection ? this.#stream.waitMs : FIRST_WAIT_MS): Promise<void> {
    this.#connection ??= await this.#locate()
    const read = await this.#stream.next(this.#connection, this.#arrivals.position!.head, waitMs)
    this.#take(read)
    if (read.length > 0) this.#broughtAt = performance.now()
    const hasWaited = read.length === 0 && waitMs === this.#stream.waitMs
    // The first one may be answered by who refuses all those behind it.
    if (read.length > 0 || hasWaited) this.#failures = 0
    // A replica has nothing new either, if it is out of touch with its primary.
    if (hasWaited) this.#connection = await this.#locate()
  }

  #giveUp(error: unknown): void {
    this.#failures += 1
    this.#connection = undefined
    if (error instanceof PlaceIsGone) {
      this.#arrivals.forget()
      this.#window = undefined
    } else this.#link.reopen()
  }

  /** Finds out in what life of the log we are. Goes on where it was, or tells of the window anew. */
  async #locate(): Promise<Connection> {
    const endsAt = performance.now() + this.#answerMs
    // If this one is lost, and another server asked in its place, nothing can be read by it either.
    const connection = await within(endsAt, this.#link.connected(endsAt))
    const place = await this.#calls.locateOnce(endsAt)
    if (reachesBackTo(place, this.#arrivals.position)) this.#window = undefined
    else await this.#beginAt(place, connection)
    return connection
  }

  /** Goes on with a window that was being read when a connection was lost. */
  async #beginAt(place: Place, connection: Connection): Promise<void> {
    const window = reachesBackTo(place, this.#window) ? this.#window : new Window(place)
    this.#window = window
    while (window.head < place.head) {
      window.entries.push(...(await this.#stream.window(connection, window.head, place.head)))
      this.#broughtAt = performance.now()
      this.#failures = 0
    }
    this.#window = undefined
    this.#begin(place.epoch, window.entries, window.trimmedThrough, place.head)
  }

  #take(read: readonly StreamEntry[]): void {
    if (read.length === 0 || this.#stopped.aborted) return
    const { epoch, head } = this.#arrivals.position!
    const begins = read.findIndex(beginsLife)
    const entries = entriesBehind(head, begins === -1 ? read : read.slice(0, begins))
    const last = entries.at(-1)
    if (last) {
      this.#listener.entries(entries)
      this.#arrivals.moveTo({ epoch, head: last.id })
    }
    if (begins === -1) return
    const first = entryOf(read[begins]!)
    if (first.kind === 'epoch') this.#begin(first.epoch, [], first.id, first.id)
    this.#take(read.slice(begins + 1))
  }

  #begin(epoch: string, entries: readonly Entry[], trimmedThrough: number, head: number): void {
    if (this.#stopped.aborted) return
    this.#isInTrouble = false
    this.#listener.reset({ epoch, entries, head, trimmedThrough })
    this.#arrivals.moveTo({ epoch, head })
  }

  #tellUnavailable(error: unknown): void {
    if (this.#isInTrouble || this.#stopped.aborted) return
    this.#isInTrouble = true
    this.#listener.unavailable(this.#explain(error))
  }

  #tellAvailable(): void {
    if (!this.#isInTrouble || this.#stopped.aborted) return
    this.#isInTrouble = false
    this.#listener.available()
  }
}
