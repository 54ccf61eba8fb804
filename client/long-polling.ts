import type { WireMessage } from '../lib/wire.ts'
import { backOffMs } from './back-off.ts'
import { invalidAnswer } from './comet-error.ts'
import { parseCursor } from './cursor.ts'
import type { Batch, Question } from './transport.ts'

/** Polls once: gives one batch. Throws a {@link CometError}, or what fetch says. */
export async function* poll(
  { http, token, headers: asked }: Question,
  signal: AbortSignal,
): AsyncGenerator<Batch, void> {
  const request = { headers: { ...asked, Accept: 'application/json' } }
  const { headers, body, retryAfterSeconds } = await http.request(signal, request, token)
  const messages = body as WireMessage[]
  const cursor = parseCursor(headers.get('Comet-Cursor'))
  if (!Array.isArray(messages) || !cursor) throw invalidAnswer()
  // Set by a server that closes.
  const pauseMs = retryAfterSeconds && backOffMs(1, retryAfterSeconds)
  yield { messages, cursor, pauseMs }
}
