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
    const reason = cause instanceof Error ? cause.message : String(cause)
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
