import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/** For so long it is tried about each millisecond, later a little less often. */
const EAGER_MS = 100

/**
 * Whether another connection is in the way, for now. Recovery after a crash is one of these
 * (`SQLITE_BUSY_RECOVERY`), and can befall reads as well.
 */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(error))
}

/** The code of SQLite's error; empty for any other. */
export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : ''
  return typeof code === 'string' ? code : ''
}

/**
 * Tries until nobody is in the way. No try blocks the event loop: connections are opened with `timeout: 0`, and the
 * waiting is done here. SQLite has no queue of those who wait: pauses that grow would starve whoever lost first, so
 * they stay short, with jitter.
 *
 * @throws the last error when `seconds` have passed, and any that is not about being busy
 */
export async function retryWhileBusy<T>(seconds: number, attempt: () => T): Promise<T> {
  const startedAt = performance.now()
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      const waitedMs = performance.now() - startedAt
      if (!isBusy(error) || waitedMs >= seconds * 1000) throw error
      await pause(waitedMs < EAGER_MS ? randomInt(1, 3) : randomInt(2, 6))
    }
  }
}
