/** A poll that ended sooner was not cut for having been held. */
const HELD_MS = 5000
const LEAST_SECONDS = 5

/**
 * Finds out how long something between page and server lets a poll be held. When two held polls in a row were cut,
 * the server is asked to hold no longer than four fifths of the shorter time, at least 5 s.
 */
export class HoldLimit {
  /** What to ask for, in whole seconds; undefined: nothing is known to cut. */
  seconds: number | undefined
  /** 0: the last held poll was answered. */
  #lastCutMs = 0

  /** A held poll got its answer. */
  answered(): void {
    this.#lastCutMs = 0
  }

  /** A poll ended after `heldMs` without an answer of the server. Says whether it had been held. */
  cut(heldMs: number): boolean {
    if (heldMs <= HELD_MS) return false
    const shorterMs = Math.min(this.#lastCutMs, heldMs)
    if (shorterMs > 0) this.seconds = Math.max(LEAST_SECONDS, Math.floor((shorterMs * 0.8) / 1000))
    this.#lastCutMs = heldMs
    return true
  }
}
