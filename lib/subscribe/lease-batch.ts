import type { LeaseOutcome, LeaseRenewal } from '../comet-state-provider.ts'

interface Asked {
  readonly renewal: LeaseRenewal
  resolve(outcome: LeaseOutcome): void
  reject(error: unknown): void
}

/** Gathers the renewals of one turn of the event loop into one call of the provider. */
export class LeaseBatch {
  readonly #renewLeases: (renewals: readonly LeaseRenewal[]) => Promise<LeaseOutcome[]>
  #asked: Asked[] = []

  constructor(renewLeases: (renewals: readonly LeaseRenewal[]) => Promise<LeaseOutcome[]>) {
    this.#renewLeases = renewLeases
  }

  add(renewal: LeaseRenewal): Promise<LeaseOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) setImmediate(() => void this.#send())
      this.#asked.push({ renewal, resolve, reject })
    })
  }

  async #send(): Promise<void> {
    const asked = this.#asked
    this.#asked = []
    try {
      const outcomes = await this.#renewLeases(asked.map(({ renewal }) => renewal))
      for (const [index, { resolve }] of asked.entries()) resolve(outcomes[index] ?? 'gone')
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}
