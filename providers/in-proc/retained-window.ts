import type { Entry, Retention } from '../../lib/comet-state-provider.ts'

interface Retained {
  readonly entry: Entry
  readonly bytes: number
  /** Until when the retention wants it, on the store's clock. */
  readonly until: number
}

/** About what an entry takes in memory beside its texts. */
const ENTRY_OVERHEAD_BYTES = 64

/** The newest entries of a log, bounded by time, number and bytes. The newest one stays however large it is. */
export class RetainedWindow {
  readonly #now: () => number
  readonly #retained = new Map<number, Retained>()
  #retention: Retention = { seconds: 0, messages: 0, bytes: 0 }
  #bytes = 0
  #messages = 0
  #trimmedThrough: number

  /** @param now milliseconds on a clock that never jumps */
  constructor(base: number, now: () => number) {
    this.#trimmedThrough = base
    this.#now = now
  }

  get trimmedThrough(): number {
    return this.#trimmedThrough
  }

  /** From now on as much is retained. */
  retain(retention: Retention): void {
    this.#retention = retention
  }

  entries(): Entry[] {
    return Array.from(this.#retained.values(), ({ entry }) => entry)
  }

  add(entry: Entry): void {
    const bytes = sizeOf(entry)
    this.#retained.set(entry.id, { entry, bytes, until: this.#now() + this.#retention.seconds * 1000 })
    this.#bytes += bytes
    if (entry.kind === 'message') this.#messages += 1
    this.trim()
  }

  trim(): void {
    const now = this.#now()
    for (const [id, { entry, bytes, until }] of this.#retained) {
      const overrun = this.#messages > this.#retention.messages || this.#bytes > this.#retention.bytes
      if (until > now && !(overrun && this.#retained.size > 1)) return
      this.#retained.delete(id)
      this.#trimmedThrough = id
      this.#bytes -= bytes
      if (entry.kind === 'message') this.#messages -= 1
    }
  }
}

function sizeOf(entry: Entry): number {
  if (entry.kind !== 'message') return ENTRY_OVERHEAD_BYTES
  const addresses = [...entry.topics, ...entry.except].reduce((sum, { length }) => sum + length, 0)
  return ENTRY_OVERHEAD_BYTES + Buffer.byteLength(entry.name) + Buffer.byteLength(entry.contents) + addresses
}
