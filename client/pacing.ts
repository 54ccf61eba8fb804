import { backOffMs } from './back-off.ts'

/** A request that ended sooner, its pause included, and brought no message, was in vain. */
const SOON_MS = 1000
/** So many of those in a row follow each other as fast as the server likes. */
const MANY_IN_VAIN = 5
/** How often it is tried although the browser says that there is no network. */
const OFFLINE_MS = 30_000

/** How long a page waits before its next request for messages, by what became of those before. */
export interface Pacing {
  /** The loop begins. */
  onStart(): void
  /** The server held a request. */
  onHeld(): void
  /** What failed is no sign that the next will. */
  onExcused(): void
  /** A message came. */
  onNews(): void
  /** @param pauseMs what the server wants */
  afterAnswerMs(tookMs: number, pauseMs: number): number
  /** @param isDead it is the token that was refused */
  afterFailureMs(isDead: boolean, retryAfterSeconds: number | undefined): number
}

export function createPacing(): Pacing {
  /** Since the server last held a request, or refused a token. */
  let failures = 0
  /** Tokens refused since the server last held a request. */
  let refusals = 0
  /** Requests in a row that ended soon and brought no message. */
  let vain = 0
  return { onStart, onHeld, onExcused, onNews, afterAnswerMs, afterFailureMs }

  function onStart(): void {
    failures = refusals = vain = 0
  }

  function onHeld(): void {
    failures = refusals = 0
  }

  function onExcused(): void {
    failures = 0
  }

  function onNews(): void {
    vain = 0
  }

  function afterAnswerMs(tookMs: number, pauseMs: number): number {
    vain = tookMs + pauseMs < SOON_MS ? vain + 1 : 0
    return vain > MANY_IN_VAIN ? Math.max(pauseMs, backOffMs(vain - MANY_IN_VAIN)) : pauseMs
  }

  function afterFailureMs(isDead: boolean, retryAfterSeconds: number | undefined): number {
    const pauseMs = backOffMs(isDead ? ++refusals : ++failures, retryAfterSeconds)
    // The event `online` ends the pause. Now and then it is tried all the same: browsers err.
    return globalThis.navigator?.onLine === false ? Math.max(pauseMs, OFFLINE_MS) : pauseMs
  }
}
