import { randomInt } from 'node:crypto'
import { type Answer, COMMON_HEADERS, errorAnswer, errorHeaders, type ToldError } from '../answer.ts'
import { controlToJson } from '../comet-message.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import { type Cursor, formatCursor } from '../cursor.ts'
import type { ReadReset } from '../message-log.ts'
import type { HeldResponse } from '../subscribe/held-response.ts'
import { StreamFrame } from '../subscribe/stream-frame.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import type { Transport } from '../subscribe/wait-request.ts'
import { ControlName, type OpenedContents, type ResetContents } from '../wire.ts'
import { formatBlock } from './event-stream-format.ts'
import { MessageBlocks } from './message-blocks.ts'
import { replacedToJson } from './replaced-json.ts'

/**
 * What is read for one stream at a time, unless a single message is larger: what waits for a reader that takes nothing
 * is no more than this.
 */
const MAX_READ_BYTES = 32 * 1024

/** A line that fills the buffers of those who hold back the beginning of an answer. Goes with the block after it. */
const PADDING = formatBlock({ comment: ' '.repeat(2048) }).slice(0, -1)

/** A reader that was cut off comes back after this long, and up to a second more. */
const RETRY_MS = 3000
const RETRY_SPREAD_MS = 1000

const STREAM_HEADERS = {
  ...COMMON_HEADERS,
  'Cache-Control': 'no-store, no-transform',
  'Content-Type': 'text/event-stream; charset=utf-8',
  'X-Accel-Buffering': 'no',
} as const

type Messages = Extract<SubscribeOutcome, { kind: 'messages' }>

/** Event streams: a subscribe request that keeps asking for outcomes. */
export class EventStream implements Transport {
  readonly replaceAfterMs = 0
  readonly maxReadBytes: number
  readonly #keepAliveSeconds: number
  readonly #blocks = new MessageBlocks()
  readonly #messages = new SharedFrame<readonly MessageEntry[]>(isSameList)
  readonly #keepAlive = new SharedFrame<string>(Object.is)

  constructor(keepAliveSeconds: number, maxAnswerBytes: number) {
    this.#keepAliveSeconds = keepAliveSeconds
    this.maxReadBytes = Math.min(maxAnswerBytes, MAX_READ_BYTES)
  }

  /** The answer to a request that is not held. */
  render(outcome: Exclude<SubscribeOutcome, Messages>): Answer {
    switch (outcome.kind) {
      case 'stopped':
        return errorAnswer(outcome.exception)
      case 'replaced':
        // The one status that ends a native EventSource without an error.
        if (!outcome.isByOwnPage) return { status: 204, headers: COMMON_HEADERS, body: '' }
        break
    }
    return { status: 200, headers: headersAt(outcome.cursor, 'resumed'), body: lastOf(outcome) }
  }

  /** For a native EventSource, which an error status would end for good: it is told to come again. */
  renderTrouble(error: ToldError): Answer {
    const headers = { ...STREAM_HEADERS, ...errorHeaders(error) }
    return { status: 200, headers, body: `${errorBlock(error)}${comeAgain(RETRY_MS)}` }
  }

  begin(response: HeldResponse, from: Cursor, seen: Cursor): void {
    response.begin(headersAt(from, 'resumed'), this.#opened(from, idBlock(seen)))
  }

  keepAlive(response: HeldResponse, cursor: Cursor): void {
    const text = formatCursor(cursor)
    response.write(this.#keepAlive.of(text) ?? this.#keepAlive.keep(text, formatBlock({ id: text })))
  }

  tell(response: HeldResponse, outcome: SubscribeOutcome, page: { readonly cursor: Cursor }): boolean {
    if (outcome.kind === 'messages') {
      this.#tellMessages(response, outcome, page)
      return true
    }
    // Of a node that closes, a page is to come back elsewhere.
    if (response.hasBegun) response.end(lastOf(outcome), outcome.kind === 'closed')
    else response.send(this.render(outcome))
    return false
  }

  #tellMessages(response: HeldResponse, outcome: Messages, page: { readonly cursor: Cursor }): void {
    const { messages, reset, cursor } = outcome
    if (response.hasBegun && reset === undefined) {
      const frame = this.#messages.of(messages)
      response.write(frame ?? this.#messages.keep(messages, this.#blocks.of(messages, cursor.epoch)))
      return
    }
    const told = `${reset ? resetBlock(reset, cursor.epoch) : ''}${this.#blocks.of(messages, cursor.epoch)}`
    if (response.hasBegun) {
      response.write(new StreamFrame(told))
      return
    }
    const start = reset ? { epoch: cursor.epoch, messageId: reset.messageId } : page.cursor
    response.begin(headersAt(start, reset ? 'reset' : 'resumed'), this.#opened(start, told))
  }

  /** The beginning of a stream. It moves no cursor: a reset may follow, and must not be jumped over. */
  #opened({ messageId }: Cursor, rest: string): StreamFrame {
    const contents: OpenedContents = {
      date: new Date().toISOString(),
      keepAliveSeconds: this.#keepAliveSeconds,
    }
    const opened = formatBlock({
      retryMs: RETRY_MS + randomInt(RETRY_SPREAD_MS),
      data: controlToJson({ mid: messageId, n: ControlName.opened, c: contents }),
    })
    return new StreamFrame(`${PADDING}${opened}${rest}`)
  }
}

/** The frame that was kept last: in a broadcast, all receivers ask for the same. */
class SharedFrame<T> {
  readonly #isSame: (one: T, other: T) => boolean
  #what: T | undefined
  #frame: StreamFrame | undefined

  constructor(isSame: (one: T, other: T) => boolean) {
    this.#isSame = isSame
  }

  of(what: T): StreamFrame | undefined {
    return this.#what !== undefined && this.#isSame(what, this.#what) ? this.#frame : undefined
  }

  keep(what: T, text: string): StreamFrame {
    const frame = new StreamFrame(text)
    this.#what = what
    this.#frame = frame
    return frame
  }
}

/** An id belongs to one life of the log alone, so that the same messages have the same text. */
function isSameList(one: readonly MessageEntry[], other: readonly MessageEntry[]): boolean {
  return (
    one === other || (one.length === other.length && one.every((message, index) => message === other[index]))
  )
}

function resetBlock({ reason, messageId }: ReadReset, epoch: string): string {
  const contents: ResetContents = { reason, epoch, messageId }
  const data = controlToJson({ mid: messageId, n: ControlName.reset, c: contents })
  return formatBlock({ id: formatCursor({ epoch, messageId }), data })
}

function idBlock(cursor: Cursor): string {
  return formatBlock({ id: formatCursor(cursor) })
}

function errorBlock({ publicText, code }: ToldError): string {
  return formatBlock({ data: controlToJson({ mid: 0, n: ControlName.error, c: publicText, code }) })
}

/** A block that is nothing else says that the end which follows is meant. */
function comeAgain(afterMs = 0): string {
  return formatBlock({ retryMs: afterMs + randomInt(RETRY_SPREAD_MS) })
}

function lastOf(outcome: Exclude<SubscribeOutcome, Messages>): string {
  switch (outcome.kind) {
    case 'timeout':
    case 'closed':
      return `${idBlock(outcome.cursor)}${comeAgain()}`
    case 'replaced': {
      const replaced = formatBlock({ data: replacedToJson(outcome) })
      return outcome.isByOwnPage ? `${replaced}${comeAgain()}` : replaced
    }
    case 'stopped': {
      const { exception } = outcome
      return exception.status === 503
        ? `${errorBlock(exception)}${comeAgain(RETRY_MS)}`
        : errorBlock(exception)
    }
  }
}

/** By name, as those of a poll: of constants that are spread V8 makes a hidden class for each answer. */
function headersAt(cursor: Cursor, outcome: 'resumed' | 'reset'): Answer['headers'] {
  return {
    'Cache-Control': STREAM_HEADERS['Cache-Control'],
    'X-Content-Type-Options': STREAM_HEADERS['X-Content-Type-Options'],
    'Content-Type': STREAM_HEADERS['Content-Type'],
    'X-Accel-Buffering': STREAM_HEADERS['X-Accel-Buffering'],
    'Comet-Cursor': formatCursor(cursor),
    'Comet-Outcome': outcome,
  } satisfies Record<keyof typeof STREAM_HEADERS, string> & Answer['headers']
}
