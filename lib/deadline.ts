import { CometException } from './comet-exception.ts'

/**
 * Asks the provider, and gives up after `seconds`. However it fails, the caller gets `COMET_PROVIDER_IS_UNAVAILABLE`
 * with the cause; a late answer is ignored.
 * @param ended called when the provider has answered or failed, however late
 */
export function withDeadline<T>(
  seconds: number,
  what: string,
  ask: () => Promise<T>,
  ended: () => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(failedAt(what, new Error(`no answer within ${seconds} s`))),
      seconds * 1000,
    ).unref()
    const fail = (cause: unknown): void => {
      clearTimeout(timer)
      ended()
      reject(failedAt(what, cause))
    }
    try {
      // A provider in JavaScript may answer without a promise.
      Promise.resolve(ask()).then((answer) => {
        clearTimeout(timer)
        ended()
        resolve(answer)
      }, fail)
    } catch (cause) {
      fail(cause)
    }
  })
}

function failedAt(what: string, cause: unknown): CometException {
  const text = `The state provider failed at ${what}: ${textOf(cause).replace(/\.$/, '')}.`
  return new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text, { cause })
}

/** Whatever a provider rejects with. Never throws: nobody would be told of anything then. */
function textOf(cause: unknown): string {
  try {
    return String(cause instanceof Error ? cause.message : cause)
  } catch {
    return 'with what cannot be shown as text'
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
