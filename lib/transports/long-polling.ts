import { type Answer, errorAnswer, JSON_HEADERS, retryAfter } from '../answer.ts'
import { controlToJson, messageToJson } from '../comet-message.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import { type Cursor, formatCursor } from '../cursor.ts'
import type { HeldResponse } from '../subscribe/held-response.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import type { AnsweringTransport } from '../subscribe/wait-request.ts'
import { ControlName, type ResetContents } from '../wire.ts'
import { replacedToJson } from './replaced-json.ts'

type Messages = Extract<SubscribeOutcome, { kind: 'messages' }>

/** Long polling: a subscribe request asks for one outcome, and its answer is a JSON array. */
export class LongPolling implements AnsweringTransport {
  readonly replaceAfterMs = 0
  readonly maxReadBytes: number
  readonly #shared = new SharedJson()

  constructor(maxAnswerBytes: number) {
    this.maxReadBytes = maxAnswerBytes
  }

  tell(response: HeldResponse, outcome: SubscribeOutcome): boolean {
    response.send(this.render(outcome))
    return false
  }

  render(outcome: SubscribeOutcome): Answer {
    switch (outcome.kind) {
      case 'messages': {
        const answer = answerAt(outcome.cursor, outcome.reset ? 'reset' : 'resumed', this.#arrayOf(outcome))
        return outcome.overSeconds === undefined ? answer : leaving(answer, outcome.overSeconds)
      }
      case 'timeout':
        return answerAt(outcome.cursor, 'resumed', timeoutArray(outcome.cursor))
      case 'replaced':
        return answerAt(outcome.cursor, 'resumed', `[${replacedToJson(outcome)}]`)
      case 'stopped':
        return errorAnswer(outcome.exception)
      case 'closed':
        // Those who are held are ended one after another: it need not be spread again.
        return leaving(answerAt(outcome.cursor, 'resumed', timeoutArray(outcome.cursor)), 1)
    }
  }

  #arrayOf({ messages, reset, cursor }: Messages): string {
    const json = this.#shared.of(messages)
    if (reset === undefined) return `[${json}]`
    const contents: ResetContents = { reason: reset.reason, epoch: cursor.epoch, messageId: reset.messageId }
    const told = controlToJson({ mid: reset.messageId, n: ControlName.reset, c: contents })
    return json === '' ? `[${told}]` : `[${told},${json}]`
  }
}

/** The JSON of the last messages asked for: in a broadcast, all receivers ask for the same ones. */
class SharedJson {
  #messages: readonly MessageEntry[] = []
  #json = ''

  of(messages: readonly MessageEntry[]): string {
    const last = this.#messages
    if (messages.length !== last.length || messages.some((message, index) => message !== last[index])) {
      this.#messages = messages
      this.#json = messages.map((message) => messageToJson(message.id, message)).join(',')
    }
    return this.#json
  }
}

/** Sends a page elsewhere. */
function leaving(answer: Answer, overSeconds: number): Answer {
  const headers = { ...answer.headers, 'Retry-After': retryAfter(overSeconds), Connection: 'close' }
  return { ...answer, headers }
}

function timeoutArray({ messageId }: Cursor): string {
  return `[${controlToJson({ mid: messageId, n: ControlName.timeout, c: null })}]`
}

function answerAt(cursor: Cursor, outcome: 'resumed' | 'reset', body: string): Answer {
  const headers = { ...JSON_HEADERS, 'Comet-Cursor': formatCursor(cursor), 'Comet-Outcome': outcome }
  return { status: 200, headers, body }
}
