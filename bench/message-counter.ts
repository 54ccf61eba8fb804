/** Each message of the benchmark has this in it, once. */
export const MARK = '"n":"Bench"'

/** Counts what the pages of a load get, all together. */
export class MessageCounter {
  #count = 0
  #awaited = Number.POSITIVE_INFINITY
  #resolve: (() => void) | undefined

  add(messages: number): void {
    this.#count += messages
    this.#look()
  }

  /** Resolves when so many have come in all. */
  received(total: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = total
      this.#resolve = resolve
      this.#look()
    })
  }

  /** Begins anew. */
  reset(): void {
    this.#count = 0
    this.#awaited = Number.POSITIVE_INFINITY
  }

  #look(): void {
    if (this.#count > this.#awaited)
      throw new Error(`${this.#count} messages came, where ${this.#awaited} were sent.`)
    if (this.#count < this.#awaited) return
    // The next ones may come before they are asked for.
    this.#awaited = Number.POSITIVE_INFINITY
    this.#resolve?.()
  }
}
