import type { LeaseOutcome, LeaseRenewal } from '../comet-state-provider.ts'
import { tooFewOutcomes } from '../serial-calls.ts'

/** The most renewals that one call is given. */
const MAX_BATCH = 1000

interface Asked {
  readonly renewal: LeaseRenewal
  resolve(outcome: LeaseOutcome): void
  reject(error: unknown): void
}

/** Gathers the renewals of one turn of the event loop into one call of the provider. */
export class LeaseBatch {
  readonly #renewLeases: (renewals: readonly LeaseRenewal[]) => Promise<LeaseOutcome[]>
  #asked: Asked[] = []
  #draining: Promise<void> | undefined

  constructor(renewLeases: (renewals: readonly LeaseRenewal[]) => Promise<LeaseOutcome[]>) {
    this.#renewLeases = renewLeases
  }

  add(renewal: LeaseRenewal): Promise<LeaseOutcome> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ renewal, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves when nothing is asked or under way any more. */
  async drained(): Promise<void> {
    await this.#draining
  }

  /** One call at a time: answers that overtake each other would leave a node wrong about who has a lease. */
  async #drain(): Promise<void> {
    while (this.#asked.length > 0) {
      await new Promise(setImmediate)
      await this.#send(this.#asked.splice(0, MAX_BATCH))
    }
    this.#draining = undefined
  }

  async #send(asked: readonly Asked[]): Promise<void> {
    try {
      const outcomes = await this.#renewLeases(asked.map(({ renewal }) => renewal))
      if (asked.some((_, index) => outcomes[index] === undefined)) throw tooFewOutcomes()
      for (const [index, { resolve }] of asked.entries()) resolve(outcomes[index]!)
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}
