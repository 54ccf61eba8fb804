import type { IncomingMessage, ServerResponse } from 'node:http'
import { BareContext, pathOf } from '../subscribe/bare-context.ts'
import { headerToken } from '../subscribe/subscribe-request.ts'

type RequestListener = (req: IncomingMessage, res: ServerResponse) => void

/** A server of Node: of HTTP, HTTPS or HTTP/2. */
export interface RequestServer {
  rawListeners(event: 'request'): unknown[]
  removeAllListeners(event: 'request'): unknown
  on(event: 'request', listener: RequestListener): unknown
}

/**
 * Takes subscribe requests of a server before its app sees them: those at this path that bear all in their headers. The
 * app's own listeners get all others.
 * @throws TypeError for a server without an app
 */
export function takeFrom(
  server: RequestServer,
  path: string,
  subscribe: (ctx: BareContext) => Promise<void> | undefined,
): void {
  const others = server.rawListeners('request') as RequestListener[]
  if (others.length === 0) {
    throw new TypeError(
      'attach() takes requests from an app: give it the server of one, as app.listen() does.',
    )
  }
  server.removeAllListeners('request')
  server.on('request', (req, res) => {
    if (isSubscribing(req, path)) serve(new BareContext(req, res), subscribe)
    else for (const other of others) other.call(server, req, res)
  })
}

/** Forms have a body to parse, and a native EventSource bears its token in a cookie: both need Koa. */
function isSubscribing(req: IncomingMessage, path: string): boolean {
  return (
    req.method === 'GET' && (req.url === path || pathOf(req) === path) && headerToken({ req }) !== undefined
  )
}

function serve(ctx: BareContext, subscribe: (ctx: BareContext) => Promise<void> | undefined): void {
  const done = subscribe(ctx)
  if (done) void done.then(() => ctx.release())
  else ctx.release()
}
