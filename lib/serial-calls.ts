import { CometException } from './comet-exception.ts'
import { withDeadline } from './deadline.ts'

/**
 * Asks the provider one thing after another. A call that is past its deadline may still take effect: until it has
 * ended nothing more is asked, so that nothing lands out of order, and who asks meanwhile is refused at once.
 */
export class SerialCalls {
  readonly #timeoutSeconds: number
  #isAsking = false
  readonly #ended = (): void => {
    this.#isAsking = false
  }

  constructor(timeoutSeconds: number) {
    this.#timeoutSeconds = timeoutSeconds
  }

  /** Whether a call has not ended, be it that its caller waits for it no longer. */
  get isAsking(): boolean {
    return this.#isAsking
  }

  /** Rejects with `COMET_PROVIDER_IS_UNAVAILABLE`. The caller waits for the answer before it asks again. */
  ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    if (this.#isAsking) {
      const text = `The state provider has not answered an earlier ${what} yet. Nothing was asked of it.`
      return Promise.reject(new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text))
    }
    this.#isAsking = true
    return withDeadline(this.#timeoutSeconds, what, call, this.#ended)
  }
}

/** Nobody knows what was done of that for which the provider gave no outcome. */
export function tooFewOutcomes(): CometException {
  return new CometException('COMET_PROVIDER_IS_UNAVAILABLE', 'The state provider gave too few outcomes.')
}
