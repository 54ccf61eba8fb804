/** Whether lines come once and in order: those of each page are numbered from 1 on. */
export class Ledger {
  /** How many of this page's own came back. */
  back = 0
  lost = 0
  twice = 0
  #own
  /** The newest number of each series. */
  #newest = new Map()

  /** @param own the series of this page: of others the page may have come amid theirs */
  constructor(own) {
    this.#own = own
    this.#newest.set(own, 0)
  }

  note({ series, number }) {
    const newest = this.#newest.get(series) ?? number - 1
    if (number <= newest) {
      this.twice += 1
      return
    }
    this.lost += number - newest - 1
    this.#newest.set(series, number)
    if (series === this.#own) this.back += 1
  }
}
