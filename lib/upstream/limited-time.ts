/** What may take so long. */
export interface LimitedTask<T> {
  /** @param signal aborts when its time is over: nobody waits for it any more */
  task(signal: AbortSignal): Promise<T>
  /** What to reject with then. */
  late(): Error
}

/** Resolves or rejects as the task does, if it ends in this time. It goes on where it does not. */
export async function withinTime<T>(seconds: number, { task, late }: LimitedTask<T>): Promise<T> {
  const time = new AbortController()
  const timer = setTimeout(() => time.abort(), seconds * 1000).unref()
  const timedOut = new Promise<never>((_, reject) => {
    time.signal.addEventListener('abort', () => reject(late()))
  })
  const done = task(time.signal)
  // Who is late tells nobody any more.
  done.catch(() => {})
  try {
    return await Promise.race([done, timedOut])
  } finally {
    clearTimeout(timer)
  }
}
