/**
 * What was asked for lately, by name. Holds `size` at most, and not less than the newest half of that: what is asked for
 * moves up from the older generation to the younger one, and when that is full the older one goes.
 */
export class RecentMap<T> {
  readonly #size: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  constructor(size: number) {
    this.#size = size
  }

  get(name: string): T | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.set(name, old)
    return old
  }

  set(name: string, value: T): void {
    if (this.#young.size >= this.#size / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, value)
  }
}
