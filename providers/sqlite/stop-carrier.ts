import { setTimeout as pause } from 'node:timers/promises'
import type { CometClient } from '../../lib/comet-client.ts'
import type { Stop } from './stop-rows.ts'
import type { StopStep } from './stops.ts'

/** Of a stop that nobody has carried on for so long, whoever began it is taken for dead. */
const STALLED_MS = 250

/** How long one call is at it: others wait for its end. What it leaves is for the next sweep, of whatever node. */
const CALL_MS = 3000

/** Carries stops to their end: those that this node began, and those that others left. */
export class StopCarrier {
  readonly #pending: () => Promise<readonly Stop[]>
  readonly #next: (id: number) => Promise<StopStep>
  readonly #own = new Set<number>()

  /**
   * @param pending reads those that are not carried out wholly
   * @param next commits the next step of one
   */
  constructor(pending: () => Promise<readonly Stop[]>, next: (id: number) => Promise<StopStep>) {
    this.#pending = pending
    this.#next = next
  }

  /**
   * Does the rest of a stop, with turns for others between its steps, as far as it comes. Adds those whom it removes to
   * `stopped`.
   */
  async finish(id: number, stopped: CometClient[], endsAt = performance.now() + CALL_MS): Promise<void> {
    this.#own.add(id)
    try {
      for (let more = true; more && performance.now() < endsAt; ) {
        await new Promise(setImmediate)
        const step = await this.#next(id)
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
    for (const { id, topic, after } of await this.#others()) {
      const isStalled = before.some((stop) => stop.id === id && stop.topic === topic && stop.after === after)
      if (isStalled) await this.finish(id, stopped, endsAt)
    }
  }

  async #others(): Promise<readonly Stop[]> {
    const pending = await this.#pending()
    return pending.filter(({ id }) => !this.#own.has(id))
  }
}
