import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'

/** They are about one connection, and not for the next one. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * Passes one request on to the first of the ports that takes connections. From then on it is cut when that node dies,
 * as its answer is: the node may have done what it was asked, so it is for the page to ask again.
 */
export async function forward(
  incoming: IncomingMessage,
  answer: ServerResponse,
  ports: readonly number[],
): Promise<void> {
  for (const port of ports) {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: incoming.method,
      path: incoming.url,
      headers: forwardedHeaders(incoming),
      // A connection of its own: one that was used before may just be dying, and nobody knows what was read from it.
      agent: false,
    })
    // What comes of it is told by 'close'.
    outgoing.on('error', () => {})
    answer.once('close', () => outgoing.destroy())
    if (await isConnected(outgoing)) return exchange(incoming, answer, outgoing)
    if (answer.closed) return
  }
  answer.writeHead(503, { 'Retry-After': '1', 'Content-Type': 'text/plain' }).end('No node is there.')
}

/** Nothing is sent before that. */
function isConnected(outgoing: ClientRequest): Promise<boolean> {
  return new Promise((resolve) => {
    outgoing.once('socket', (socket) => socket.once('connect', () => resolve(true)))
    outgoing.once('close', () => resolve(false))
  })
}

function exchange(incoming: IncomingMessage, answer: ServerResponse, outgoing: ClientRequest): void {
  outgoing.once('error', () => answer.destroy())
  outgoing.once('response', (response) => {
    answer.writeHead(response.statusCode!, withoutHopByHop(response.headers))
    // Also where the body is still to come.
    answer.flushHeaders()
    // Ends the one when the other is cut.
    pipeline(response, answer, () => {})
  })
  incoming.pipe(outgoing)
}

/** `Host` stays as the browser sent it: the channel compares it with `Origin`. */
function forwardedHeaders({ headers, socket }: IncomingMessage): NodeJS.Dict<string | string[]> {
  const before = headers['x-forwarded-for']
  return {
    ...withoutHopByHop(headers),
    'x-forwarded-for': [before, socket.remoteAddress].filter(Boolean).join(', '),
    'x-forwarded-host': headers.host,
    'x-forwarded-proto': 'http',
  }
}

function withoutHopByHop(headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name) && !named.includes(name)),
  )
}
