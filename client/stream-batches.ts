import { ControlName, type WireMessage } from '../lib/wire.ts'
import { type Cursor, parseCursor } from './cursor.ts'
import type { StreamBlock } from './event-stream-parser.ts'
import type { Batch } from './transport.ts'

/**
 * What blocks that came at once mean: mostly one batch.
 *
 * @param before the cursor as what came before has moved it. Only ids move it: where a stream begins says nothing, since
 *   a reset may follow, and must not be jumped over
 */
export function* batchesOf(
  blocks: readonly StreamBlock[],
  before: Cursor | undefined,
): Generator<Batch, void> {
  let messages: WireMessage[] = []
  let cursor = before
  let pauseMs: number | undefined
  for (const { id, data, retry } of blocks) {
    const message: WireMessage | undefined = data && JSON.parse(data)
    if (message?.n === ControlName.reset && messages.length > 0) {
      yield { messages, cursor }
      messages = []
    }
    if (message) messages.push(message)
    cursor = parseCursor(id) ?? cursor
    // A keep-alive is nothing but an id, and the end nothing but a time.
    pauseMs = id || message || !retry ? undefined : Number(retry)
    // Who asks anew is told what is wrong.
    if (message?.n === ControlName.error) pauseMs = 0
  }
  if (blocks.length > 0) yield { messages, cursor, pauseMs }
}
