/** A machine that wakes up tells nobody. */
const TICK_MS = 5000

/**
 * Tells what a browser tells a page about its own life, until the signal aborts; outside of a browser that is nothing
 * but the clock.
 *
 * @param hidden the page goes away: for good, or it is frozen, in the back/forward cache for one
 * @param shown it came back out of that
 * @param online there is a network again
 * @param awake the page or the machine may have slept; called now and then
 */
export function watchPage(
  signal: AbortSignal,
  hidden: (mayReturn: boolean) => void,
  shown: () => void,
  online: () => void,
  awake: () => void,
): void {
  // Capturing: some of these are events of the document, and do not bubble.
  const watch = (type: string, listener: (event: PageTransitionEvent) => void) =>
    globalThis.addEventListener?.(type, listener as (event: Event) => void, { signal, capture: true })
  watch('pagehide', ({ persisted }) => hidden(persisted))
  watch('freeze', () => hidden(true))
  watch('pageshow', shown)
  watch('resume', shown)
  watch('online', online)
  watch('visibilitychange', awake)
  const timer = setInterval(awake, TICK_MS)
  signal.addEventListener('abort', () => clearInterval(timer))
}
