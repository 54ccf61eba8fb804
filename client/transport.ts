import type { WireMessage } from '../lib/wire.ts'
import type { Cursor } from './cursor.ts'
import type { Http } from './http.ts'

/** Who asks for messages. */
export interface Subscriber {
  readonly token: string | undefined
  /** Where to read on: the server takes what came before for received. Undefined: where it knows this client to be. */
  readonly dealtWith: string | undefined
  readonly page: string
  /** Whether this page takes the client over from an older one. */
  readonly takesOver: boolean
}

/** One request for messages; the transport adds what kind of answer it accepts. */
export interface Question {
  readonly http: Http
  readonly token: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** What came at once. */
export interface Batch {
  /** In order; control messages among them. A reset is the first, so that all ids are of one life of the log. */
  readonly messages: readonly WireMessage[]
  /** Behind them. Undefined while the server has not said where the page is. */
  readonly cursor: Cursor | undefined
  /** Set on the last batch: how long the server wants to be left alone before it is asked again. */
  readonly pauseMs?: number | undefined
}

/** The names that the channel keeps for itself, but for those of the notices of presence. */
const CONTROL = /^aspNetComet\.(?!(join|leave|update)$)/

/** Whether it is handed out: it is a message of the app's, or a notice of presence. */
export function isForPage({ n }: WireMessage): boolean {
  return !n.match(CONTROL)
}

/** Whether there is more in it than what the channel itself says. */
export function bringsNews({ messages }: Batch): boolean {
  return messages.some(isForPage)
}

/**
 * @param waitSeconds how long the server is asked to go on at most, in whole seconds; 0: it is to give what it has, and
 *   end; undefined: for as long as it does by itself
 */
export function questionOf(
  http: Http,
  { token, dealtWith, page, takesOver }: Subscriber,
  waitSeconds: number | undefined,
): Question {
  const headers: Record<string, string> = { 'Comet-Page': takesOver ? `${page};new` : page }
  if (waitSeconds !== undefined) headers.Prefer = `wait=${waitSeconds}`
  if (dealtWith) headers['Last-Event-ID'] = dealtWith
  return { http, token, headers }
}
