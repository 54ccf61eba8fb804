import { backOffMs } from './back-off.ts'
import { CometError } from './comet-error.ts'

/** How long something is tried. The server knows its key for twice as long, so that it never takes it for another. */
const PATIENCE_MS = 300_000

/** As whom a page asks, in numbers that grow: see `Identity`. */
export interface Asker {
  readonly clientNumber: number
  readonly principal: number
}

/** The attempts at one request of a page, and when there must be no further one. */
export interface Attempts {
  /** Returns how long it may still be tried. Throws the {@link CometError} that ends it. */
  restMs(): number
  /** An attempt begins. */
  onBegin(): void
  /**
   * Returns how long to wait before the next attempt. Throws the {@link CometError} if there must be none.
   *
   * @param isRenewed the token was found dead, and the page comes by another
   */
  afterFailureMs(failure: CometError, isRenewed: boolean): number
}

/** @param isOnce it must not be carried out twice, as one client and then as the next */
export function createAttempts(asker: Asker, isOnce?: boolean): Attempts {
  const { principal } = asker
  /** As whom it was tried last. */
  let clientNumber = 0
  let failures = 0
  let last: CometError
  /** Whether an attempt may have reached the server. */
  let isInDoubt = false
  /** By `Date.now()`, which goes on while the machine sleeps. */
  let endsAtMs = Number.POSITIVE_INFINITY
  return { restMs, onBegin, afterFailureMs }

  function restMs(): number {
    if (isOnce && isInDoubt && clientNumber !== asker.clientNumber) throw ending(true)
    // What one user asked for is not done as another.
    if (principal !== asker.principal) throw new CometError('COMET_IDENTITY_HAS_CHANGED', false)
    const restMs = endsAtMs - Date.now()
    if (restMs <= 0) throw ending(isInDoubt)
    return restMs
  }

  function onBegin(): void {
    clientNumber = asker.clientNumber
    endsAtMs = Math.min(endsAtMs, Date.now() + PATIENCE_MS)
  }

  function afterFailureMs(failure: CometError, isRenewed: boolean): number {
    const { code, status, willRetry, retryAfterSeconds } = failure
    last = failure
    // The handler's own answer, whatever its status: it is given again to each repetition.
    if (/^COMET_SEND_(HAS_FAILED|IS_REFUSED)$/.test(code)) throw ending()
    // Whom the server no longer knows, or no longer lets do it, learns nothing of the attempt before.
    const isDenied = status === 401 || status === 403
    if (!willRetry && isOnce && isInDoubt && isDenied) throw ending(true)
    if (!willRetry && !isRenewed) throw ending()
    // 429: it was too early.
    if (willRetry && status !== 429) isInDoubt = true
    return Math.min(backOffMs(++failures, retryAfterSeconds), endsAtMs - Date.now())
  }

  function ending(isUnknown?: boolean): CometError {
    return isUnknown
      ? new CometError('COMET_OUTCOME_IS_UNKNOWN', false, { cause: last })
      : new CometError(last.code, false, last)
  }
}
