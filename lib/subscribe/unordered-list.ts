/** What such a list can have. One list at a time. */
export interface Listed {
  /** Where the list has it: the list's alone to set. */
  place: number
}

/**
 * Things that come and go all the time, in no order. Not a `Set`, which makes its table anew every so often: V8 keeps
 * an old table for long, and with it what was in there.
 */
export class UnorderedList<T extends Listed> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** Adds what is in no list. */
  add(item: T): void {
    item.place = this.#items.length
    this.#items.push(item)
  }

  /** Takes it out. Does nothing if it is not there. */
  delete(item: T): void {
    const { place } = item
    if (this.#items[place] !== item) return
    const last = this.#items.pop()!
    if (last === item) return
    this.#items[place] = last
    last.place = place
  }

  /** Visits all, none of which is taken out meanwhile. */
  forEach(visit: (item: T) => void): void {
    this.#items.forEach(visit)
  }

  /** From the last to the first one: what is visited may be taken out, and what takes its place was visited before. */
  *[Symbol.iterator](): Generator<T> {
    for (let place = this.#items.length - 1; place >= 0; place--) {
      const item = this.#items[place]
      if (item) yield item
    }
  }
}
