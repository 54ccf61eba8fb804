/** A machine that wakes up tells nobody. */
const TICK_MS = 5000
/** Timers that are only late have their turn before the page is taken for one that has slept. */
const SLACK_MS = 5000

/**
 * Tells what a browser tells a page about its own life, until the signal aborts; outside of a browser that is nothing
 * but the clock.
 *
 * @param hidden the page goes away: for good, or it is frozen, in the back/forward cache for one
 * @param shown it came back out of that
 * @param online there is a network again
 * @param awake the page or the machine has slept: what was expected to happen has not
 * @returns is told within how many milliseconds something is expected to happen, from now on
 */
export function watchPage(
  signal: AbortSignal,
  hidden: (mayReturn: boolean) => void,
  shown: () => void,
  online: () => void,
  awake: () => void,
): (withinMs: number) => void {
  /** By `Date.now()`, which goes on while the machine sleeps. */
  let dueMs = 0
  const look = () => {
    if (Date.now() > dueMs) awake()
  }
  // Capturing: some of these are events of the document, and do not bubble.
  const watch = (type: string, listener: (event: PageTransitionEvent) => void) =>
    globalThis.addEventListener?.(type, listener as (event: Event) => void, { signal, capture: true })
  watch('pagehide', ({ persisted }) => hidden(persisted))
  watch('freeze', () => hidden(true))
  watch('pageshow', shown)
  watch('resume', shown)
  watch('online', online)
  watch('visibilitychange', look)
  const timer = setInterval(look, TICK_MS)
  signal.addEventListener('abort', () => clearInterval(timer))
  return (withinMs) => {
    dueMs = Date.now() + withinMs + SLACK_MS
  }
}
