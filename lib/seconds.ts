/** `setTimeout` takes no more than 2^31 - 1 milliseconds; above that it fires at once. */
export const MAX_SECONDS = Math.floor((2 ** 31 - 1) / 1000)

/** The longest that a request is held: a day. */
export const MAX_HOLD_SECONDS = 86_400

/** A number of seconds that a timer can be set for. */
export function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= MAX_SECONDS
}
