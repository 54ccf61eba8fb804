import { ControlName, type WireMessage } from '../lib/wire.ts'
import { CometError } from './comet-error.ts'
import { type Cursor, parseCursor } from './cursor.ts'
import { type Http, invalidAnswer } from './http.ts'

/** Whose poll it is. */
export interface Poller {
  readonly token: string | undefined
  /** Where to read on; undefined: where the server knows this client to be. */
  readonly cursor: string | undefined
  readonly page: string
  /** Whether this page takes the client over from an older one. */
  readonly takesOver: boolean
}

/** What a poll brought. */
export interface PollAnswer {
  /** In order; control messages among them. */
  readonly messages: readonly WireMessage[]
  /** Where the next poll reads on. */
  readonly cursor: Cursor
  /** Set by a server that closes. */
  readonly retryAfterSeconds: number | undefined
}

/**
 * Sends one poll. Rejects with a {@link CometError}; being replaced is one of them.
 *
 * @param waitSeconds how long the server is asked to hold it at most, in whole seconds; 0: not at all
 */
export async function longPoll(
  http: Http,
  { token, page, cursor, takesOver }: Poller,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<PollAnswer> {
  const request: Record<string, string> = {
    Accept: 'application/json',
    'Comet-Page': takesOver ? `${page};new` : page,
    Prefer: `wait=${waitSeconds}`,
  }
  if (cursor) request['Last-Event-ID'] = cursor
  const { headers, body, retryAfterSeconds } = await http.request(signal, { headers: request }, token)
  const messages = body as WireMessage[]
  const next = parseCursor(headers.get('Comet-Cursor'))
  if (!Array.isArray(messages) || !next) throw invalidAnswer()
  if (messages.some(({ n }) => n === ControlName.replaced)) throw new CometError('COMET_REPLACED', false)
  return { messages, cursor: next, retryAfterSeconds }
}
