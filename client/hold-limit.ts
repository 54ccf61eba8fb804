/** What ended sooner was not cut for having been held. */
const HELD_MS = 5000
const LEAST_SECONDS = 5
/** Of the time: what cuts by a clock does so after about the same time. Servers that crash do not. */
const ALIKE = 0.1

/**
 * Finds out how long something between page and server lets a request be held. When two held ones in a row were cut
 * after about the same time, the server is asked to hold no longer than four fifths of it, at least 5 s.
 */
export class HoldLimit {
  /** What to ask for, in whole seconds; undefined: nothing is known to cut. */
  holdSeconds: number | undefined
  /** 0: the last held request was answered. */
  #lastCutMs = 0

  /** A held request got its answer, or the whole of it. */
  onAnswered(): void {
    this.#lastCutMs = 0
  }

  /** A request ended after `heldMs` without an answer of the server. Says whether it had been held. */
  onCut(heldMs: number): boolean {
    if (heldMs <= HELD_MS) return false
    const isAlike = Math.abs(heldMs - this.#lastCutMs) < heldMs * ALIKE
    if (isAlike) this.holdSeconds = Math.max(LEAST_SECONDS, Math.floor(heldMs * (0.8 / 1000)))
    this.#lastCutMs = heldMs
    return true
  }
}
