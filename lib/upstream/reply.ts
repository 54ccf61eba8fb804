import { type Answer, errorAnswer, JSON_HEADERS, type ToldError } from '../answer.ts'
import { CometException } from '../comet-exception.ts'
import type { SendAnswer } from '../wire.ts'
import { CometRefusal } from './comet-refusal.ts'

/** What the run of a handler came to, as it is recorded and told, to repetitions too. All of it is JSON. */
export type Reply =
  | { readonly result: unknown }
  | {
      readonly refused: {
        readonly status: number
        readonly code: string
        readonly text: string
        readonly details?: unknown
      }
    }

/** What a page is told of a handler that failed: nothing of what it threw. */
export const FAILED: Reply = refusedBy(new CometException('COMET_SEND_HAS_FAILED', ''))

/** What a handler's run comes to. Rejects with what it throws, unless that is meant for the page. */
export async function repliedBy(run: () => Promise<unknown>): Promise<Reply> {
  try {
    const result = await run()
    return { result: result === undefined ? null : result }
  } catch (error) {
    if (error instanceof CometRefusal) return refusedBy(error)
    // Koa's way: `ctx.throw(403, 'text')` is for whoever asked.
    if (!isExposed(error)) throw error
    return { refused: { status: error.status, code: 'COMET_SEND_IS_REFUSED', text: error.message } }
  }
}

/** What a page is told of what the app, or the channel, denies it. */
export function refusedBy({ status, code, publicText: text, details }: ToldError): Reply {
  return { refused: { status, code, text, details } }
}

/** The reply as JSON makes it, so that a repetition is told the same. Throws a TypeError or RangeError if it is none. */
export function checkedReply(reply: Reply, maxBytes: number): Reply {
  const json = JSON.stringify(reply)
  if (Buffer.byteLength(json) > maxBytes) {
    throw new RangeError(`What a handler gives may take ${maxBytes} bytes of JSON (maxMessageBytes).`)
  }
  const checked = JSON.parse(json) as Reply
  if ('result' in reply && !('result' in checked)) {
    throw new TypeError(`A handler must give JSON, not a ${typeof reply.result}.`)
  }
  return checked
}

export function replyAnswer(reply: Reply): Answer {
  if ('result' in reply) {
    const answer: SendAnswer = { c: reply.result }
    return { status: 200, headers: JSON_HEADERS, body: JSON.stringify(answer) }
  }
  const { status, code, text: publicText, details } = reply.refused
  return errorAnswer({ status, code, publicText, details, retryOverSeconds: undefined })
}

/** The channel's own errors speak of names, limits and options: those are the app's business. */
function isExposed(error: unknown): error is Error & { readonly status: number } {
  if (!(error instanceof Error) || error instanceof CometException) return false
  if (!('status' in error && 'expose' in error)) return false
  return (
    error.expose === true && typeof error.status === 'number' && error.status >= 400 && error.status < 500
  )
}
