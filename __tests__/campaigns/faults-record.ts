import type { ClientHistory, Segment } from './faults-check.ts'

type GrowingSegment = Segment & { readonly received: number[] }

/** What the handlers of a page are given, by the client that the page is, and by the page's lives. */
export class FaultsRecord {
  readonly #segments = new Map<string, GrowingSegment[]>()
  readonly #removed = new Set<string>()
  #current: GrowingSegment | undefined
  #isClean = true

  /**
   * Another life of the page begins.
   *
   * @param isClean whether the one before wrote down where it was
   */
  beginLife(isClean: boolean): void {
    // One that got nothing knows no better than the one before it.
    this.#isClean &&= isClean
    this.#current = undefined
  }

  take(publicToken: string, id: number): void {
    const segments = this.#segments.get(publicToken) ?? []
    this.#segments.set(publicToken, segments)
    if (this.#current === undefined || this.#current !== segments.at(-1)) {
      this.#current = { isClean: this.#isClean, received: [] }
      this.#isClean = true
      segments.push(this.#current)
    }
    this.#current.received.push(id)
  }

  /** The server has removed this client, or is about to. */
  remove(publicToken: string): void {
    this.#removed.add(publicToken)
  }

  histories(): ClientHistory[] {
    return [...this.#segments].map(([who, segments]) => ({
      who,
      segments,
      isWhole: !this.#removed.has(who),
    }))
  }
}
