import type { IncomingMessage, ServerResponse } from 'node:http'
import { BareContext, pathOf } from '../subscribe/bare-context.ts'
import { headerToken } from '../subscribe/subscribe-request.ts'
import type { Guarded } from './guarded.ts'

type RequestListener = (req: IncomingMessage, res: ServerResponse) => void

/** A server of Node: of HTTP, HTTPS or HTTP/2. */
export interface RequestServer {
  rawListeners(event: 'request'): unknown[]
  removeAllListeners(event: 'request'): unknown
  on(event: 'request', listener: RequestListener): unknown
}

/** Who takes the requests. */
export interface Lane {
  readonly path: string
  readonly subscribe: Guarded<BareContext>
  /** Is told what nobody has foreseen. */
  failed(error: unknown): void
}

/**
 * Takes subscribe requests of a server before its app sees them: those at the lane's path that bear all in their headers.
 * The listeners that the server has get all others. The returned function ends that.
 * @throws TypeError for a server without a listener
 */
export function takeFrom(server: RequestServer, lane: Lane): () => void {
  const others = listenersOf(server)
  if (others.length === 0) {
    throw new TypeError(
      'attach() takes requests from an app: give it the server of one, as app.listen() does.',
    )
  }
  let isEnded = false
  const listener: RequestListener = (req, res) => {
    // What another listener has begun to answer is none of ours.
    if (!isEnded && isSubscribing(req, lane.path) && !res.headersSent) serve(new BareContext(req, res), lane)
    else for (const other of others) other.call(server, req, res)
  }
  setListeners(server, [listener])
  return () => {
    if (isEnded) return
    isEnded = true
    const now = listenersOf(server)
    // Where another channel was attached after this one, that one has the listener.
    if (now.includes(listener))
      setListeners(
        server,
        now.flatMap((each) => (each === listener ? others : each)),
      )
  }
}

function listenersOf(server: RequestServer): RequestListener[] {
  return typeof server?.rawListeners === 'function'
    ? (server.rawListeners('request') as RequestListener[])
    : []
}

function setListeners(server: RequestServer, listeners: readonly RequestListener[]): void {
  server.removeAllListeners('request')
  for (const listener of listeners) server.on('request', listener)
}

/** Forms have a body to parse, and a native EventSource bears its token in a cookie: both need Koa. */
function isSubscribing(req: IncomingMessage, path: string): boolean {
  return (
    req.method === 'GET' && (req.url === path || pathOf(req) === path) && headerToken({ req }) !== undefined
  )
}

function serve(ctx: BareContext, lane: Lane): void {
  try {
    const done = lane.subscribe(ctx)
    if (done) done.then(() => ctx.release()).catch((error) => fail(ctx, lane, error))
    else ctx.release()
  } catch (error) {
    fail(ctx, lane, error)
  }
}

function fail({ res }: BareContext, { failed }: Lane, error: unknown): void {
  res.destroy()
  failed(error)
}
