import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RegisterAnswer, WireMessage } from '../../lib/wire.ts'

/** One request as it came, and the ways to answer it. Nothing is answered unless the test says so. */
export class Received {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, body: string, response: ServerResponse) {
    this.method = request.method!
    this.url = request.url!
    this.headers = request.headers
    this.body = body
    this.#response = response
  }

  /** Whether the page still waits for an answer. */
  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded
  }

  /** Resolves when the page has given the request up, or it was answered. */
  async closed(): Promise<void> {
    if (!this.#response.destroyed) await once(this.#response, 'close')
  }

  answer(status: number, headers: Record<string, string>, body: string): void {
    this.#response.writeHead(status, headers).end(body)
  }

  json(value: unknown, headers: Record<string, string> = {}, status = 200): void {
    this.answer(
      status,
      { 'Content-Type': 'application/json; charset=utf-8', ...headers },
      JSON.stringify(value),
    )
  }

  /** Answers a poll. The cursor is where the page is to read on. */
  messages(cursor: string, messages: readonly WireMessage[], headers: Record<string, string> = {}): void {
    this.json(messages, { 'Comet-Cursor': cursor, 'Comet-Outcome': 'resumed', ...headers })
  }

  timeout(cursor: string, headers: Record<string, string> = {}): void {
    const mid = Number(cursor.split(':')[1])
    this.messages(cursor, [{ mid, n: 'aspNetComet.timeout', c: null }], headers)
  }

  /** @param details what an app's refusal has to say */
  error(status: number, code: string, headers: Record<string, string> = {}, details?: unknown): void {
    const c = `The server says ${code}`
    this.json([{ mid: 0, n: 'aspNetComet.error', c, code, details }], headers, status)
  }

  registered(answer: Partial<RegisterAnswer> = {}): void {
    this.json({ ...REGISTERED, ...answer })
  }

  /** Begins a stream, with its first block. */
  stream(headers: Record<string, string> = {}, keepAliveSeconds = 15): void {
    this.streamHead(headers)
    const c = { date: new Date().toISOString(), keepAliveSeconds }
    this.write(`:${' '.repeat(2048)}\nretry: 3000\n${data({ mid: 0, n: 'aspNetComet.opened', c })}\n`)
  }

  /** Begins a stream without a word. */
  streamHead(headers: Record<string, string> = {}): void {
    this.#response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', ...headers })
    this.#response.flushHeaders()
  }

  /** Writes messages to a stream; each moves the cursor to its id. */
  push(epoch: string, ...messages: readonly WireMessage[]): void {
    this.write(messages.map((message) => `id: ${epoch}:${message.mid}\n${data(message)}\n`).join(''))
  }

  /** Writes a control message to a stream; it moves no cursor. */
  tell(n: string, c: unknown = null): void {
    this.write(`${data({ mid: 0, n, c })}\n`)
  }

  keepAlive(cursor: string): void {
    this.write(`id: ${cursor}\n\n`)
  }

  /** Ends a stream on purpose. */
  rotate(retryMs = 0): void {
    this.#response.end(`retry: ${retryMs}\n\n`)
  }

  /** Ends a stream as if it had been cut: without the block that says that it ends. */
  end(): void {
    this.#response.end()
  }

  write(part: string | Uint8Array): void {
    this.#response.write(part)
  }

  /** Answers a part of what was promised, and cuts the connection. */
  cut(headers: Record<string, string>, part: string): void {
    this.#response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': '9999',
      ...headers,
    })
    this.#response.write(part, () => this.drop())
  }

  /** Cuts the connection without an answer. */
  drop(): void {
    this.#response.destroy()
  }
}

function data(message: WireMessage): string {
  return `data: ${JSON.stringify(message)}\n`
}

const REGISTERED: RegisterAnswer = {
  publicToken: 'public-1',
  privateToken: 'private-token-number-one',
  displayName: 'Ada',
  cursor: 'e1:10',
  connectionTimeoutSeconds: 25,
  connectionIdleSeconds: 90,
  keepAliveSeconds: 15,
  version: 1,
}

/** An HTTP server on 127.0.0.1 that does what the test says, request by request. */
export class ScriptedServer {
  /** Every request, in the order of its arrival. */
  readonly received: Received[] = []
  readonly #server: Server
  readonly #arrived = new EventTarget()
  #taken = 0

  private constructor(server: Server) {
    this.#server = server
    server.on('request', async (request, response) => {
      let body = ''
      for await (const part of request.setEncoding('utf8')) body += part
      this.received.push(new Received(request, body, response))
      this.#arrived.dispatchEvent(new Event('request'))
    })
  }

  /** @param port another than 0 to come back where a server was before */
  static async open(port = 0): Promise<ScriptedServer> {
    const server = createServer()
    const scripted = new ScriptedServer(server)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return scripted
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The channel's URL. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/comet`
  }

  /** The polls and other requests that wait for an answer. */
  get open(): Received[] {
    return this.received.filter(({ isOpen }) => isOpen)
  }

  /** The next request, in the order of arrival; waits for it. */
  async next(): Promise<Received> {
    while (this.received.length <= this.#taken) await once(this.#arrived, 'request')
    return this.received[this.#taken++]!
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    if (this.#server.listening) await once(this.#server, 'close')
  }
}
