/** A map that remembers for a time, and only so many: the oldest go first. */
export class ForgetfulMap<V> {
  readonly #maxEntries: number
  readonly #now: () => number
  readonly #entries = new Map<string, { readonly value: V; readonly until: number }>()

  /** @param now milliseconds on a clock that never jumps */
  constructor(maxEntries: number, now: () => number) {
    this.#maxEntries = maxEntries
    this.#now = now
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.until > this.#now() ? entry.value : undefined
  }

  set(key: string, value: V, forMs: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: this.#now() + forMs })
    this.#forget()
  }

  #forget(): void {
    const now = this.#now()
    for (const [key, { until }] of this.#entries) {
      if (until > now && this.#entries.size <= this.#maxEntries) return
      this.#entries.delete(key)
    }
  }
}
