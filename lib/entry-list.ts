/** Below this many dropped places at the front a list is not worth copying. There is a list for each topic. */
const COMPACT_AFTER = 32

/** A list of things with rising ids: added at the end, dropped from the front, found by id. */
export class EntryList<T extends { readonly id: number }> {
  /** Dropped places, which hold nothing, and then the list. */
  #items: (T | undefined)[] = []
  #first = 0

  get length(): number {
    return this.#items.length - this.#first
  }

  /** The oldest, if there is one. */
  get oldest(): T | undefined {
    return this.#items[this.#first]
  }

  get newest(): T | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1]
  }

  /** The place counted from the oldest. */
  at(index: number): T | undefined {
    return this.#items[this.#first + index]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  dropOldest(): void {
    this.#items[this.#first] = undefined
    this.#first += 1
    if (this.#first > COMPACT_AFTER && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
  }

  /** The index of the first item whose id is above `id`; the list's length if there is none. */
  indexAfter(id: number): number {
    let low = this.#first
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#items[middle]!.id <= id) low = middle + 1
      else high = middle
    }
    return low - this.#first
  }
}
