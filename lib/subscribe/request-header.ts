import type { IncomingMessage } from 'node:http'

/** A context, of which only the request is read. */
export interface HasRequest {
  readonly req: IncomingMessage
}

/**
 * A header of a request, '' if it has none. Not `ctx.get`, which makes a lower-case copy of the name each time: a poll
 * asks for ten.
 * @param name in lower case
 */
export function requestHeader({ req }: HasRequest, name: Lowercase<string>): string {
  // Node gives a list only for set-cookie, which is no header of a request.
  return (req.headers[name] as string | undefined) ?? ''
}
