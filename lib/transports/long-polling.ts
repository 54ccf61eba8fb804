import { type Answer, errorAnswer, JSON_HEADERS, retryAfter } from '../answer.ts'
import { controlToJson, messageToJson } from '../comet-message.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import { type Cursor, formatCursor } from '../cursor.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import type { Transport } from '../subscribe/wait-request.ts'
import { ControlName, type ResetContents } from '../wire.ts'

type Messages = Extract<SubscribeOutcome, { kind: 'messages' }>

/** Long polling: a subscribe request asks for one outcome, and its answer is a JSON array. */
export class LongPolling implements Transport {
  readonly replaceAfterMs = 0
  readonly #shared = new SharedJson()

  render(outcome: SubscribeOutcome): Answer {
    switch (outcome.kind) {
      case 'messages':
        return answerAt(outcome.cursor, outcome.reset ? 'reset' : 'resumed', this.#arrayOf(outcome))
      case 'timeout':
      case 'replaced':
        return answerAt(outcome.cursor, 'resumed', controlArray(outcome.kind, outcome.cursor))
      case 'stopped':
        return errorAnswer(outcome.exception)
      case 'closed': {
        const answer = answerAt(outcome.cursor, 'resumed', controlArray('timeout', outcome.cursor))
        const leave = { 'Retry-After': retryAfter(outcome.overSeconds), Connection: 'close' }
        return { ...answer, headers: { ...answer.headers, ...leave } }
      }
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

function controlArray(kind: 'timeout' | 'replaced', { messageId }: Cursor): string {
  return `[${controlToJson({ mid: messageId, n: ControlName[kind], c: null })}]`
}

function answerAt(cursor: Cursor, outcome: 'resumed' | 'reset', body: string): Answer {
  const headers = { ...JSON_HEADERS, 'Comet-Cursor': formatCursor(cursor), 'Comet-Outcome': outcome }
  return { status: 200, headers, body }
}
