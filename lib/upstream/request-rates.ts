import { CometException } from '../comet-exception.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'

/** How many seconds' worth of requests a client may make at once. */
const BURST_SECONDS = 5

interface Allowance {
  left: number
  asOf: number
}

/** How many requests beside its subscription each client may make: so many a second, and some more after a pause. */
export class RequestRates {
  readonly #perSecond: number
  readonly #most: number
  readonly #byClient = new WeakMap<ClientLease, Allowance>()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#most = perSecond * BURST_SECONDS
  }

  /**
   * Counts a request that is as much as so many, but never as more than may be made at once. Throws
   * `COMET_TOO_MANY_REQUESTS` if it is too much.
   */
  count(lease: ClientLease, size: number): void {
    const cost = Math.min(size, this.#most)
    const now = performance.now()
    const { left, asOf } = this.#byClient.get(lease) ?? { left: this.#most, asOf: now }
    const allowed = Math.min(this.#most, left + ((now - asOf) / 1000) * this.#perSecond)
    // What is more than is left is paid for by waiting afterwards: else it would wait for ever beside smaller ones.
    if (allowed < 1) {
      const text = `A client may make ${this.#perSecond} requests a second. Slow down.`
      throw new CometException('COMET_TOO_MANY_REQUESTS', text)
    }
    this.#byClient.set(lease, { left: allowed - cost, asOf: now })
  }
}
