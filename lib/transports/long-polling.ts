import { type Answer, errorAnswer, JSON_HEADERS, retryAfter } from '../answer.ts'
import { controlToJson, messageToJson } from '../comet-message.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import { type Cursor, formatCursor } from '../cursor.ts'
import type { ReadReset } from '../message-log.ts'
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
  readonly #shared = new SharedAnswer()

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
        const answer = outcome.reset ? afterReset(outcome.reset, outcome) : this.#shared.of(outcome)
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
}

/** The answer that was asked for last: in a broadcast, all receivers are told the same. */
class SharedAnswer {
  #last: Messages | undefined
  #answer: Answer | undefined

  of(told: Messages): Answer {
    if (this.#answer && this.#last && (told === this.#last || isSame(told, this.#last))) return this.#answer
    this.#last = told
    this.#answer = answerAt(told.cursor, 'resumed', `[${jsonOf(told.messages)}]`)
    return this.#answer
  }
}

function isSame({ messages, cursor }: Messages, last: Messages): boolean {
  const { epoch, messageId } = last.cursor
  if (cursor.messageId !== messageId || cursor.epoch !== epoch) return false
  const { length } = last.messages
  return messages.length === length && messages.every((message, index) => message === last.messages[index])
}

function jsonOf(messages: readonly MessageEntry[]): string {
  // Most answers have one.
  if (messages.length === 1) return messageToJson(messages[0]!.id, messages[0]!)
  return messages.map((message) => messageToJson(message.id, message)).join(',')
}

function afterReset({ reason, messageId }: ReadReset, { messages, cursor }: Messages): Answer {
  const contents: ResetContents = { reason, epoch: cursor.epoch, messageId }
  const told = controlToJson({ mid: messageId, n: ControlName.reset, c: contents })
  const json = jsonOf(messages)
  return answerAt(cursor, 'reset', json === '' ? `[${told}]` : `[${told},${json}]`)
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
  // All by name: of constants that are spread V8 makes a hidden class for each answer, and of its copies another one.
  const headers = {
    'Cache-Control': JSON_HEADERS['Cache-Control'],
    'X-Content-Type-Options': JSON_HEADERS['X-Content-Type-Options'],
    'Content-Type': JSON_HEADERS['Content-Type'],
    'Comet-Cursor': formatCursor(cursor),
    'Comet-Outcome': outcome,
    'Content-Length': String(Buffer.byteLength(body)),
  } satisfies Record<keyof typeof JSON_HEADERS, string> & Answer['headers']
  return { status: 200, headers, body }
}
