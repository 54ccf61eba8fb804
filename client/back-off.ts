const BASE_MS = 1000
const CAP_MS = 30_000

/** The longest time that setTimeout can wait: what is above fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * How long to wait before the next attempt, in milliseconds. Full jitter: evenly spread between 0 and 1, 2, 4, …
 * 30 s, so that pages which lost their server together do not come back together.
 *
 * @param failures how many attempts have failed in a row, from 1 on
 * @param retryAfterSeconds what the server asked for; then it is that, and up to 1 s more
 */
export function backOffMs(failures: number, retryAfterSeconds = 0): number {
  const spreadMs = retryAfterSeconds ? BASE_MS : Math.min(CAP_MS, BASE_MS * 2 ** (failures - 1))
  const random = crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32
  return Math.min(retryAfterSeconds * 1000 + random * spreadMs, LONGEST_TIMER_MS)
}
