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
  readonly #sending = new Set<Promise<void>>()

  constructor(renewLeases: (renewals: readonly LeaseRenewal[]) => Promise<LeaseOutcome[]>) {
    this.#renewLeases = renewLeases
  }

  add(renewal: LeaseRenewal): Promise<LeaseOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) this.#sendSoon()
      this.#asked.push({ renewal, resolve, reject })
    })
  }

  /** Resolves when nothing is asked or under way any more. */
  async drained(): Promise<void> {
    await Promise.all(this.#sending)
  }

  #sendSoon(): void {
    const sending = this.#send().finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
  }

  async #send(): Promise<void> {
    await new Promise(setImmediate)
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
