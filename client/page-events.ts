/**
 * Tells what a browser tells a page about its own life; outside of a browser that is nothing.
 *
 * @param hidden the page goes away: for good, or into the back/forward cache
 * @param shown it came back out of that
 * @param online there is a network again
 */
export function watchPage(
  signal: AbortSignal,
  hidden: (mayReturn: boolean) => void,
  shown: () => void,
  online: () => void,
): void {
  const watch = (type: string, listener: (event: PageTransitionEvent) => void) =>
    globalThis.addEventListener?.(type, listener as (event: Event) => void, { signal })
  watch('pagehide', ({ persisted }) => hidden(persisted))
  watch('pageshow', ({ persisted }) => persisted && shown())
  watch('online', online)
}
