import type { Position } from './channel-calls.ts'
import { within } from './time-limit.ts'

interface Waiter {
  readonly position: Position
  resolve(): void
  reject(error: Error): void
}

/** The listener has been told of another life of the log, and of ids above the one that is waited for. */
export class LifeIsOver extends Error {
  override readonly name = 'LifeIsOver'
}

/** How far a listener has been told of the log, and who waits for it to get further. */
export class Arrivals {
  readonly #stopped: AbortSignal
  readonly #waiters = new Set<Waiter>()
  #position: Position | undefined
  #movedAt = 0

  /** @param stopped ends all waiting */
  constructor(stopped: AbortSignal) {
    this.#stopped = stopped
  }

  get position(): Position | undefined {
    return this.#position
  }

  /** When it got there, by `performance.now()`. */
  get movedAt(): number {
    return this.#movedAt
  }

  moveTo(position: Position): void {
    this.#position = position
    this.#movedAt = performance.now()
    for (const waiter of this.#waiters) this.#look(waiter)
  }

  /** What has been told is not what is there: it has to be told anew. */
  forget(): void {
    this.#position = undefined
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

  /** Ids rise over all lives of the log: who is above one in another life has passed it. */
  #look({ position: { epoch, head }, resolve, reject }: Waiter): void {
    const at = this.#position
    if (at === undefined || at.head < head) return
    if (at.epoch === epoch) resolve()
    else if (at.head > head) reject(new LifeIsOver('the log has begun anew meanwhile'))
  }
}
