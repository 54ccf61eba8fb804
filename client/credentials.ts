import type { RegisterAnswer } from '../lib/wire.ts'
import { CometError, invalidAnswer } from './comet-error.ts'
import { parseCursor } from './cursor.ts'
import type { Http } from './http.ts'
import { isToken } from './options.ts'
import type { Registration } from './page-memory.ts'
import { asJson } from './page-requests.ts'

/** A private token, and what came with it. */
export interface Credentials {
  readonly token: string
  /** `<epoch>:<messageId>`: where the client reads on. */
  readonly cursor?: string | undefined
  readonly registration?: Registration | undefined
}

/** Has the server make a new client for this page. */
export async function register(http: Http, signal: AbortSignal): Promise<Credentials> {
  const { body } = await http.request(signal, asJson('{}'), undefined, http.urlOf('/register'))
  const { privateToken: token, cursor, ...registration } = body as RegisterAnswer
  if (!isToken(token) || !parseCursor(cursor)) throw invalidAnswer()
  return { token, cursor, registration }
}

/** Asks the app for a token. Only the app knows whether the one kept from before a reload is still its user's. */
export async function askForToken(
  privateToken: (kept?: string) => unknown,
  kept: string | undefined,
): Promise<Credentials> {
  let cause: unknown
  try {
    const token = await privateToken(kept)
    if (isToken(token)) return { token }
  } catch (thrown) {
    cause = thrown
  }
  throw new CometError('COMET_TOKEN_FUNCTION_FAILED', true, { cause })
}
