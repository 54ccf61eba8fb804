/** What is known of a failure beside its code. */
export interface CometErrorFacts {
  /** Default: the code. */
  readonly message?: string
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly details?: unknown
  readonly cause?: unknown
}

/**
 * What failure handlers and the event `error` are told. `code` is stable, the text is not. Codes that begin in
 * the browser:
 *
 * - `COMET_CONNECTION_FAILED`: no answer came, or it was cut; `cause` has what fetch said
 * - `COMET_NO_ANSWER`: nothing came for 10 s longer than the server may hold a poll; or by a stream for twice as long as
 *   it promised
 * - `COMET_ANSWER_IS_INVALID`: the answer is not the channel's: a proxy's error page, a captive portal; or it comes
 *   from another origin, whose server must expose its headers (its option `origins`)
 * - `COMET_TOKEN_FUNCTION_FAILED`: the function given as `privateToken` threw (`cause`), or gave no token
 * - `COMET_REPLACED`: another page took this client over
 * - `COMET_HANDLER_FAILED`: a handler threw; `cause` has what it threw. Told to the event `error` only
 * - `COMET_LEFT`: the page called `leave()`, or the option `signal` aborted. Told to who sent something only
 * - `COMET_QUEUE_IS_FULL`, without a status: 1,000 sends, joins and leaves wait already. Told to who asked for another
 *   only; with one, the server's
 * - `COMET_OUTCOME_IS_UNKNOWN`: what was sent may have been carried out, or not; `cause` has the last failure. Told to
 *   who sent it only; also a code of the server's
 *
 * All others are the server's own, with its text, or those with which the app's handler refused what was sent.
 */
export class CometError extends Error {
  override readonly name = 'CometError'
  declare readonly code: string
  /**
   * Whether the channel goes on by itself. False: it has stopped, and only `subscribe()` starts it again. What rejects a
   * promise has false: this one thing is not tried again.
   */
  declare readonly willRetry: boolean
  /** The HTTP status, if there was an answer. */
  declare readonly status: number | undefined
  /** What the server asked for. */
  declare readonly retryAfterSeconds: number | undefined
  /** What the app's handler had to say with its refusal: any JSON value. */
  declare readonly details: unknown

  constructor(code: string, willRetry: boolean, facts: CometErrorFacts = {}) {
    super(facts.message ?? code, facts)
    Object.assign(this, facts, { code, willRetry })
  }
}

/** The failure of an answer that lacks what the channel's would have. */
export function invalidAnswer(): CometError {
  return new CometError('COMET_ANSWER_IS_INVALID', true)
}

/** What an attempt failed with. What is no {@link CometError} is what fetch says. */
export function asCometError(cause: unknown): CometError {
  return cause instanceof CometError ? cause : new CometError('COMET_CONNECTION_FAILED', true, { cause })
}
