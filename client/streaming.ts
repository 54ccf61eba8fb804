import type { OpenedContents } from '../lib/wire.ts'
import { abortWith, unlessAborted } from './abortable.ts'
import { CometError } from './comet-error.ts'
import type { Cursor } from './cursor.ts'
import { createEventStreamParser } from './event-stream-parser.ts'
import { readAnswer } from './http.ts'
import { batchesOf } from './stream-batches.ts'
import { setTimelyTimeout } from './timely.ts'
import type { Batch, Question } from './transport.ts'

/** What a stream tells beside its batches. */
export interface StreamEvents {
  /** The head has come: it is a stream. */
  onHead(): void
  /** Something came; the next has to come within so long, or the stream is given up. */
  onSign(nextWithinMs: number): void
  /** Two thirds of the time after which the stream is given up have passed in silence. */
  onSlow(): void
}

/**
 * Opens a stream, and reads on when the next batch is asked for: there is no buffer. The first batch comes with the
 * first block. Ends when the server ends the stream on purpose; throws what fetch says, or a {@link CometError}:
 *
 * - `COMET_NO_ANSWER`: the first block did not come in time, or nothing came for twice as long as the server promised
 * - the server's own, or `COMET_ANSWER_IS_INVALID`: the answer is no event stream, or not the channel's
 * - `COMET_REPLACED`
 *
 * @param firstBlockMs how long the first block may take
 * @param events without them, it only tries whether a stream gets through: that takes no lease, and moves nothing
 */
export async function* stream(
  { http, token, headers }: Question,
  firstBlockMs: number,
  signal: AbortSignal,
  events?: StreamEvents,
): AsyncGenerator<Batch, void> {
  const own = abortWith(signal)
  const giveUp = () => own.abort(new CometError('COMET_NO_ANSWER', true))
  let timer = setTimeout(giveUp, firstBlockMs)
  try {
    const kind = events ? {} : { 'Comet-Probe': '1' }
    const request = { headers: { ...headers, ...kind, Accept: 'text/event-stream' } }
    const asked = http.send(own.signal, request, token).then(bodyOf)
    const bytes = (await unlessAborted(asked, own.signal)).getReader()
    events?.onHead()
    const parse = createEventStreamParser()
    let cursor: Cursor | undefined
    let keepAliveMs = 0
    for (;;) {
      if (keepAliveMs) listen(keepAliveMs)
      const { done, value } = await unlessAborted(bytes.read(), own.signal)
      if (done) throw new Error('stream cut')
      for (const batch of batchesOf(parse(value), cursor)) {
        clearTimeout(timer)
        keepAliveMs ||= keepAliveOf(batch)
        cursor = batch.cursor
        yield batch
        if (batch.pauseMs !== undefined) return
      }
    }
  } finally {
    clearTimeout(timer)
    own.abort()
  }

  function listen(keepAliveMs: number): void {
    const slowMs = (keepAliveMs * 4) / 3
    const restMs = slowMs / 2
    events?.onSign(slowMs + restMs)
    clearTimeout(timer)
    timer = setTimelyTimeout(() => {
      events?.onSlow()
      timer = setTimelyTimeout(giveUp, restMs)
    }, slowMs)
  }
}

/** How often at least the server writes something: the first message of a stream says so. */
function keepAliveOf({ messages }: Batch): number {
  const opened = messages[0]?.c as Partial<OpenedContents> | null | undefined
  return (opened?.keepAliveSeconds ?? 15) * 1000
}

/** The body of an event stream. */
async function bodyOf(response: Response): Promise<ReadableStream<Uint8Array>> {
  const { ok, status, body, headers } = response
  // The answer to a page whose client another has taken over: it ends also an EventSource.
  if (status === 204) throw new CometError('COMET_REPLACED', false)
  // Throws.
  if (!ok) await readAnswer(response)
  // A fetch that is not the browser's may have no body to read from.
  if (body && headers.get('Content-Type')?.startsWith('text/event-stream')) return body
  throw new CometError('COMET_ANSWER_IS_INVALID', true, { status })
}
