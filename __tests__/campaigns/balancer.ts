import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request as the balancer got it. */
export interface PassedRequest {
  readonly method: string
  /** Its path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Takes note of what becomes of a request that a server has taken. */
export interface Watcher {
  /** The answer begins. */
  answered(status: number): void
  /** The page has its answer, or has gone, or the server has. */
  ended(): void
}

/** Called when a server has taken a request, with the server's port. */
export type Watch = (request: PassedRequest, port: number) => Watcher

const UNWATCHED: Watcher = { answered: () => {}, ended: () => {} }

/** What is of one connection, and not passed on. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])

/**
 * Sends each request to the next of several servers, whatever connection it comes by. A server that refuses the
 * connection is passed over; what one has taken is sent to no other: if that one dies, the answer is cut.
 */
export class Balancer {
  /** Ports of servers on this machine. May be replaced. */
  targets: readonly number[]
  readonly #watch: Watch
  readonly #server: Server
  #requests = 0

  private constructor(targets: readonly number[], watch: Watch) {
    this.targets = targets
    this.#watch = watch
    // A connection that is closed while the next request is on its way would be a fault of its own.
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
      // A page that goes away in the midst of its request is no matter.
      this.#pass(request, response).catch(() => response.destroy())
    })
  }

  static async open(targets: readonly number[], watch: Watch = () => UNWATCHED): Promise<Balancer> {
    const balancer = new Balancer(targets, watch)
    balancer.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
    await once(balancer.#server, 'listening')
    return balancer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = incoming
    const request = { method: method!, url: url!, headers, body: await buffer(incoming) }
    await hearOfItsEnd()
    const turn = this.#requests++
    const { targets } = this
    for (let tried = 0; tried < targets.length; tried += 1) {
      const port = targets[(turn + tried) % targets.length]!
      if (response.destroyed || (await this.#ask(request, port, response))) return
    }
    response.writeHead(502).end()
  }

  /** Resolves with whether the server takes the connection: then it has the request. */
  #ask(request: PassedRequest, port: number, response: ServerResponse): Promise<boolean> {
    const { method, url: path, body } = request
    const headers = passedOn(Object.entries(request.headers))
    const far = send({ host: '127.0.0.1', port, method, path, headers, agent: false })
    far.end(body)
    return new Promise((resolve) => {
      // Also after the connection: then the answer is cut.
      far.on('error', () => resolve(false))
      far.once('socket', (socket) =>
        socket.once('connect', () => {
          resolve(true)
          if (response.destroyed) return far.destroy()
          const watcher = this.#watch(request, port)
          response.once('close', () => {
            far.destroy()
            watcher.ended()
          })
          far.once('response', (answer) => relay(answer, response, watcher))
          far.once('close', () => response.writableEnded || response.destroy())
        }),
      )
    })
  }
}

function relay(answer: IncomingMessage, response: ServerResponse, watcher: Watcher): void {
  // The page has gone meanwhile.
  if (response.destroyed) return
  watcher.answered(answer.statusCode!)
  response.writeHead(answer.statusCode!, passedOn(Object.entries(answer.headers)))
  response.flushHeaders()
  answer.pipe(response)
  // What failed is told by 'close' as well.
  answer.on('error', () => {})
}

/** What a page has given up by now is not passed on: its end is read a turn after the request. */
async function hearOfItsEnd(): Promise<void> {
  for (let turns = 0; turns < 2; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}

function passedOn<V>(headers: readonly (readonly [string, V])[]): Record<string, V> {
  return Object.fromEntries(headers.filter(([name]) => !HOP_BY_HOP.has(name)))
}
