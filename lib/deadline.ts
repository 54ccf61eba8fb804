import { CometException } from './comet-exception.ts'

/**
 * Asks the provider, and gives up after `seconds`. However it fails, the caller gets `COMET_PROVIDER_IS_UNAVAILABLE`
 * with the cause; a late answer is ignored.
 */
export async function withDeadline<T>(seconds: number, what: string, ask: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000).unref()
  })
  try {
    return await Promise.race([ask(), late])
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '')
    throw new CometException(
      'COMET_PROVIDER_IS_UNAVAILABLE',
      `The state provider failed at ${what}: ${reason}.`,
      {
        cause,
      },
    )
  } finally {
    clearTimeout(timer)
  }
}

/** Asks the provider for one thing after another, each within `seconds`. */
export async function* eachWithDeadline<T>(
  seconds: number,
  what: string,
  ask: () => AsyncIterable<T>,
): AsyncGenerator<T> {
  const things = await withDeadline(seconds, what, async () => ask()[Symbol.asyncIterator]())
  let hasEnded = false
  try {
    for (;;) {
      const next = await withDeadline(seconds, what, () => things.next())
      if (next.done) {
        hasEnded = true
        return
      }
      yield next.value
    }
  } finally {
    // Not awaited: a provider that hangs would not end either.
    if (!hasEnded) things.return?.().catch(() => {})
  }
}
