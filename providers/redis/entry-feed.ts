import { setTimeout as pause } from 'node:timers/promises'
import type { Entry, ProviderListener } from '../../lib/comet-state-provider.ts'
import type { ChannelCalls, Position, Seen } from './channel-calls.ts'
import { entryOf, type StreamEntry } from './entry-fields.ts'
import { entriesBehind, PlaceIsGone, type StreamReader } from './stream-reader.ts'
import { within } from './time-limit.ts'

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

interface Waiter {
  readonly position: Position
  resolve(): void
  reject(error: Error): void
}

/** The listener has been told of another life of the log, and of ids above the one that is waited for. */
export class LifeIsOver extends Error {
  override readonly name = 'LifeIsOver'
}

/**
 * Tells the listener of the stream, in order, each entry once. What has been dropped before it was read, or belongs to
 * another life of the log, is noticed, and then the window is told anew.
 */
export class EntryFeed {
  readonly #calls: ChannelCalls
  readonly #stream: StreamReader
  readonly #listener: ProviderListener
  readonly #answerMs: number
  readonly #explain: (error: unknown) => Error
  /** Aborted when the listener is to be told no more. */
  readonly #stopped: AbortSignal
  readonly #waiters = new Set<Waiter>()
  /** What the listener has been told of. */
  #position: Position | undefined
  #movedAt = 0
  #following: Promise<void> | undefined
  #isInTrouble = false

  /**
   * @param calls by the connection that the stream is read by, so that both speak of one server
   * @param answerMs how long an answer may take, before the server is taken for out of reach
   */
  constructor(
    calls: ChannelCalls,
    stream: StreamReader,
    listener: ProviderListener,
    answerMs: number,
    stopped: AbortSignal,
    explain: (error: unknown) => Error,
  ) {
    this.#answerMs = answerMs
    this.#calls = calls
    this.#stream = stream
    this.#listener = listener
    this.#stopped = stopped
    this.#explain = explain
  }

  /** Tells the listener of the window, and from then on of all that comes. */
  async start(): Promise<void> {
    await this.#locate()
    this.#following ??= this.#follow()
  }

  /** Resolves when it has stopped. */
  async ended(): Promise<void> {
    await this.#following
  }

  /** What the listener has been told of. */
  seen(): Seen | undefined {
    return this.#position && { ...this.#position, agoMs: Math.floor(performance.now() - this.#movedAt) }
  }

  /** Whether the listener is being told of this life of the log. */
  follows({ epoch }: Position): boolean {
    return this.#position?.epoch === epoch
  }

  /**
   * Resolves when the listener has been told of all up to there. Rejects if that takes longer than until `endsAt`, and
   * with {@link LifeIsOver} if it will not come about.
   */
  async reached(position: Position, endsAt: number): Promise<void> {
    let waiter: Waiter | undefined
    const reached = new Promise<void>((resolve, reject) => {
      waiter = { position, resolve, reject }
      this.#waiters.add(waiter)
    })
    this.#look(waiter!)
    try {
      await within(endsAt, reached, this.#stopped)
    } finally {
      this.#waiters.delete(waiter!)
    }
  }

  async #follow(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    let isLocated = true
    while (!this.#stopped.aborted) {
      try {
        if (!isLocated) await this.#locate()
        isLocated = true
        this.#tellAvailable()
        pauseMs = FIRST_PAUSE_MS
        this.#take(await this.#stream.next(this.#position!.head))
      } catch (error) {
        if (error instanceof PlaceIsGone) this.#position = undefined
        // A connection that is lost may be back at once, and then nobody has to know.
        if (isLocated) {
          isLocated = false
          continue
        }
        this.#tellUnavailable(error)
        await pause(pauseMs, undefined, { signal: this.#stopped }).catch(() => {})
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      }
    }
  }

  /** Finds out in what life of the log we are. Goes on where it was, or tells of the window anew. */
  async #locate(): Promise<void> {
    const place = await this.#calls.locate(performance.now() + this.#answerMs)
    const [epoch, head, trimmedThrough] = place as [string, number, number]
    const at = this.#position
    const goesOn = at?.epoch === epoch && trimmedThrough <= at.head
    if (!goesOn) this.#begin(epoch, await this.#stream.window(trimmedThrough, head), trimmedThrough, head)
  }

  #take(read: readonly StreamEntry[]): void {
    if (read.length === 0 || this.#stopped.aborted) return
    const { epoch, head } = this.#position!
    const begins = read.findIndex(([, [kind]]) => kind === 'epoch')
    const entries = entriesBehind(head, begins === -1 ? read : read.slice(0, begins))
    const last = entries.at(-1)
    if (last) {
      this.#listener.entries(entries)
      this.#moveTo({ epoch, head: last.id })
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
    this.#moveTo({ epoch, head })
  }

  #moveTo(position: Position): void {
    this.#position = position
    this.#movedAt = performance.now()
    for (const waiter of this.#waiters) this.#look(waiter)
  }

  /** Ids rise over all lives of the log: who is above one in another life has passed it. */
  #look({ position: { epoch, head }, resolve, reject }: Waiter): void {
    const at = this.#position
    if (at === undefined || at.head < head) return
    if (at.epoch === epoch) resolve()
    else if (at.head > head) reject(new LifeIsOver('the log has begun anew meanwhile'))
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
