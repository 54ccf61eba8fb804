import { setTimeout as pause } from 'node:timers/promises'

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 500

/** Nobody waits for this any longer. It may come about later. */
export class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp'
}

/** Rejects with {@link TimeIsUp} if the work has not ended at this moment of `performance.now()`, or when it is aborted. */
export async function within<T>(endsAt: number, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let abort = (): void => {}
  const late = new Promise<never>((_, reject) => {
    const end = (): void => reject(new TimeIsUp('there was no answer in time'))
    const leftMs = endsAt - performance.now()
    // A timer may come up to a millisecond early. What has come while this process stood still is read first.
    timer = setTimeout(() => setImmediate(end), leftMs > 0 ? Math.ceil(leftMs) + 1 : 0)
    abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort)
  })
  try {
    signal?.throwIfAborted()
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

export interface Retrying {
  /** Until when, by `performance.now()`: it may move meanwhile. */
  readonly endsAt: () => number
  /** Whether what went wrong may go well soon. */
  readonly mayGoWell: (error: unknown) => boolean
  /** Ends it at once. */
  readonly signal: AbortSignal
}

/** Tries it again, with pauses that grow. Rejects with what went wrong last. */
export async function retried<T>(
  { endsAt, mayGoWell, signal }: Retrying,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (signal.aborted || !mayGoWell(error) || performance.now() + pauseMs >= endsAt()) throw error
      await pause(pauseMs, undefined, { signal })
    }
  }
}
