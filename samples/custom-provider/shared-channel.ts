import type { ProviderListener } from 'koa-comet'
import { type Apply, type Change, ChannelState } from './channel-state.ts'
import { Journal } from './journal.ts'

const CHANGES_PER_LINE = 100

/** What is done as one. It changes the state by `apply` alone. */
export type Step<T> = (state: ChannelState, apply: Apply) => T

interface Loaded {
  readonly state: ChannelState
  readonly journal: Journal
}

const channels = new Map<string, SharedChannel>()

/** The channel that is kept in this file: one for all providers of this process. */
export function channelAt(path: string): SharedChannel {
  const channel = channels.get(path) ?? new SharedChannel(path)
  channels.set(path, channel)
  return channel
}

/** One channel, which several providers may share. It does one step after the other. */
export class SharedChannel {
  readonly listeners = new Set<ProviderListener>()
  readonly #path: string
  #loaded: Loaded | undefined
  /** After a fault: how much of the file holds. What comes after it was refused. */
  #soundBytes: number | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Resolves when what the step changed is on the disk and was told to all. Until then no other step sees it, not even
   * one that only reads: so a crash takes nothing that anybody knew of.
   */
  do<T>(step: Step<T>): Promise<T> {
    return this.#withFile(async ({ state, journal }) => {
      const changes: Change[] = []
      const result = step(state, (change) => {
        state.apply(change)
        changes.push(change)
      })
      if (changes.length > 0) await journal.append(changes)
      const entries = changes.flatMap(({ entry }) => entry ?? [])
      if (entries.length > 0) for (const listener of this.listeners) listener.entries(entries)
      return result
    })
  }

  /** Writes a new file, without what is over, when this many bytes have been added to the present one. */
  shorten(addedBytes: number): Promise<void> {
    return this.#withFile(async ({ state, journal }) => {
      if (journal.addedBytes >= addedBytes) await journal.replace(inLines(state.changes()))
    })
  }

  /** The listener hears nothing more. Resolves when all steps so far are over; the last to leave closes the file. */
  leave(listener: ProviderListener): Promise<void> {
    this.listeners.delete(listener)
    return this.#afterLast(async () => {
      if (this.listeners.size > 0) return
      await this.#forget()
      this.#soundBytes = undefined
    })
  }

  #withFile<T>(work: (loaded: Loaded) => Promise<T>): Promise<T> {
    return this.#afterLast(async () => {
      try {
        this.#loaded ??= await this.#load()
        return await work(this.#loaded)
      } catch (error) {
        await this.#forget()
        throw error
      }
    })
  }

  #afterLast<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  async #load(): Promise<Loaded> {
    const state = new ChannelState()
    const take = (line: unknown): void => {
      for (const change of line as Change[]) state.apply(change)
    }
    return { state, journal: await Journal.open(this.#path, take, this.#soundBytes) }
  }

  /** After a fault the state may be ahead of the file, and the file of what holds: the next step reads it anew. */
  async #forget(): Promise<void> {
    const journal = this.#loaded?.journal
    this.#loaded = undefined
    this.#soundBytes = journal?.bytes ?? this.#soundBytes
    await journal?.close().catch(() => undefined)
  }
}

function* inLines(changes: Iterable<Change>): Generator<Change[]> {
  let line: Change[] = []
  for (const change of changes) {
    line.push(change)
    if (line.length < CHANGES_PER_LINE) continue
    yield line
    line = []
  }
  yield line
}
