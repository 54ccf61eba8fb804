const TICK_MS = 1000

/** A tick that comes so long after the one before tells that this process stood still. */
const LATE_TICK_MS = 2 * TICK_MS

/** Ticks once a second, and says when the process stood still. Keeps no process alive. */
export class Ticker {
  readonly #onTick: (isLate: boolean) => void
  #timer: NodeJS.Timeout | undefined
  #tickedAt = 0

  constructor(onTick: (isLate: boolean) => void) {
    this.#onTick = onTick
  }

  start(): void {
    this.#tickedAt = performance.now()
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const now = performance.now()
    const isLate = now - this.#tickedAt > LATE_TICK_MS
    this.#tickedAt = now
    this.#onTick(isLate)
  }
}
