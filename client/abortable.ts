import { LONGEST_TIMER_MS } from './back-off.ts'

/** Resolves after `ms`, at the latest after 24 days, or as soon as the signal aborts; no timer is left behind. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS))
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Aborts when the signal does, or by itself: then it lets go of the signal. Throws if that has aborted already. */
export function abortWith(signal: AbortSignal): AbortController {
  signal.throwIfAborted()
  const own = new AbortController()
  signal.addEventListener('abort', () => own.abort(signal.reason), { signal: own.signal })
  return own
}

/**
 * Settles as `work` does, or rejects as soon as the signal aborts: `work` may be an app's, and never settle. The
 * caller goes on later than that, and must look at the signal again. No listener is left behind.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    work.then(resolve, reject).then(() => signal.removeEventListener('abort', giveUp))
  })
}
