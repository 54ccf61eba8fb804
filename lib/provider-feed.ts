import type { Entry, ProviderListener, RetainedLog } from './comet-state-provider.ts'

/**
 * What one opening of a provider tells, until it is cut off. An opening that failed may still come about later, and
 * must not tell anything beside the one after it.
 */
export class ProviderFeed implements ProviderListener {
  #listener: ProviderListener | undefined

  constructor(listener: ProviderListener) {
    this.#listener = listener
  }

  cutOff(): void {
    this.#listener = undefined
  }

  reset(log: RetainedLog): void {
    this.#listener?.reset(log)
  }

  entries(entries: readonly Entry[]): void {
    this.#listener?.entries(entries)
  }

  unavailable(error: unknown): void {
    this.#listener?.unavailable(error)
  }

  available(): void {
    this.#listener?.available()
  }
}
