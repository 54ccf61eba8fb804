import { setTimeout as pause } from 'node:timers/promises'
import type { CometClient } from '../../lib/comet-client.ts'

/** Of a stop that nobody has carried on for so long, whoever began it is taken for dead. */
const STALLED_MS = 250

/** How long one call is at it: others wait for its end. What it leaves is for the next sweep, of whatever node. */
const CALL_MS = 3000

/** A stop that is not carried out wholly. */
export interface PendingStop {
  readonly id: number
  /** How far it is carried out: another text after each step. */
  readonly place: string
}

/** What one step of a stop did. */
export interface CarriedStep {
  readonly stopped: readonly CometClient[]
  /** Whether there is more to do. */
  readonly more: boolean
}

/** Carries stops to their end: those that this node began, and those that others left. */
export class StopCarrier {
  readonly #pending: () => Promise<readonly PendingStop[]>
  readonly #next: (id: number, endsAt: number) => Promise<CarriedStep>
  readonly #own = new Set<number>()

  /**
   * @param pending reads those that are not carried out wholly
   * @param next stores the next step of one, until a moment of `performance.now()`
   */
  constructor(
    pending: () => Promise<readonly PendingStop[]>,
    next: (id: number, endsAt: number) => Promise<CarriedStep>,
  ) {
    this.#pending = pending
    this.#next = next
  }

  /**
   * Does the rest of a stop, with turns for others between its steps, as far as it comes. Adds those whom it removes to
   * `stopped`.
   *
   * @param latest when it ends, by `performance.now()`; after three seconds anyway
   */
  async finish(id: number, stopped: CometClient[], latest = Number.POSITIVE_INFINITY): Promise<void> {
    const endsAt = Math.min(latest, performance.now() + CALL_MS)
    this.#own.add(id)
    try {
      for (let more = true; more && performance.now() < endsAt; ) {
        await new Promise(setImmediate)
        const step = await this.#next(id, endsAt)
        stopped.push(...step.stopped)
        more = step.more
      }
    } finally {
      this.#own.delete(id)
    }
  }

  /** Does the rest of those that nobody carries on. Adds those whom it removes to `stopped`. */
  async takeOver(stopped: CometClient[]): Promise<void> {
    const before = await this.#others()
    if (before.length === 0) return
    await pause(STALLED_MS)
    const endsAt = performance.now() + CALL_MS
    for (const { id, place } of await this.#others()) {
      const isStalled = before.some((stop) => stop.id === id && stop.place === place)
      if (isStalled) await this.finish(id, stopped, endsAt)
    }
  }

  async #others(): Promise<readonly PendingStop[]> {
    const pending = await this.#pending()
    return pending.filter(({ id }) => !this.#own.has(id))
  }
}
