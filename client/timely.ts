/** A timer that goes off so much too late had no turn: the page was hidden, frozen, or asleep. */
const LATE_MS = 5000

/**
 * As setTimeout, but for a timer that goes off much too late, which calls nothing: what was silent then may have been
 * the page. Whoever needs to know finds out otherwise.
 */
export function setTimelyTimeout(call: () => void, ms: number): ReturnType<typeof setTimeout> {
  // The clock on the wall: the other one stands still while the machine sleeps.
  const lateMs = Date.now() + ms + LATE_MS
  return setTimeout(() => Date.now() < lateMs && call(), ms)
}
