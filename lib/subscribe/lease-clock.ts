/**
 * Longer ago, from the beginning of the process on, than any number of seconds that a channel can be told. Not infinity,
 * for the reason below.
 */
export const NEVER = -(2 ** 31)

/**
 * Milliseconds on the monotonic clock. Whole ones: V8 keeps any other number in an object of its own, and there are
 * several for each client.
 */
export function leaseNow(): number {
  return Math.floor(performance.now())
}
