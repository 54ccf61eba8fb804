import { type Answer, errorAnswer, type ToldError } from '../answer.ts'
import { controlToJson } from '../comet-message.ts'
import type { HeldResponse } from '../subscribe/held-response.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import type { AnsweringTransport } from '../subscribe/wait-request.ts'
import { ControlName } from '../wire.ts'

/**
 * The wire of AspNetComet.js (2008) as it was: long polling whose answers are always 200 with a non-empty array.
 * That client stops silently at any other status, and with its failure handlers at an error; after a timeout it asks
 * again at once. So what will pass is told it as a timeout, a little later.
 */
export class AspNetComet implements AnsweringTransport {
  /** Two pages with one token would replace each other as fast as the network allows. */
  readonly replaceAfterMs = 1000
  readonly maxReadBytes: number
  readonly #longPolling: AnsweringTransport

  constructor(longPolling: AnsweringTransport) {
    this.#longPolling = longPolling
    this.maxReadBytes = longPolling.maxReadBytes
  }

  tell(response: HeldResponse, outcome: SubscribeOutcome): boolean {
    response.send(this.render(outcome))
    return false
  }

  render(outcome: SubscribeOutcome): Answer {
    if (outcome.kind === 'stopped') return this.renderError(outcome.exception)
    if (outcome.kind === 'replaced') return this.#longPolling.render({ ...outcome, kind: 'timeout' })
    return this.#longPolling.render(outcome)
  }

  renderError(error: ToldError): Answer {
    const answer = errorAnswer(error)
    const timeout = `[${controlToJson({ mid: 0, n: ControlName.timeout, c: null })}]`
    return { ...answer, status: 200, body: error.status === 503 ? timeout : answer.body }
  }
}
