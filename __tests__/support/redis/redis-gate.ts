import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { GateConnection, type Passage } from './gate-connection.ts'

type State = 'open' | 'cut' | 'stalled' | 'requests are lost' | 'replies are lost' | 'crashed' | 'closed'

/** How often something really hit. */
export interface GateHits {
  /** Connections that were ended by `cut()` or `pointTo()`. */
  cut: number
  /** Connections that were refused, since the gate was cut or had crashed. */
  refused: number
  /** Connections by which something had come that waited when a stall ended. */
  stalled: number
  /** Requests that `dropRequests()` swallowed. */
  lostRequests: number
  /** Pieces of replies that `dropReplies()` swallowed. */
  lostReplies: number
  /** Connections that `cutAfterNextRequest()` cut. */
  cutAfterRequest: number
  /** Connections that `crash()` ended. */
  crashed: number
}

interface Armed {
  readonly match: string
  hit(): void
}

/**
 * A TCP connection to a redis-server on this machine, with which a test makes the network fail. One fault is on at a
 * time; another one takes its place. What is written through it counts as sent once the gate has read it.
 */
export class RedisGate {
  readonly hits: GateHits = {
    cut: 0,
    refused: 0,
    stalled: 0,
    lostRequests: 0,
    lostReplies: 0,
    cutAfterRequest: 0,
    crashed: 0,
  }
  readonly #server: Server
  readonly #connections = new Set<GateConnection>()
  readonly #passage: Passage
  #serverPort: number
  #state: State = 'open'
  #armed: Armed | undefined
  #closing: Promise<void> | undefined

  private constructor(serverPort: number) {
    this.#serverPort = serverPort
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near))
    this.#passage = {
      request: (connection, request) => this.#takeRequest(connection, request),
      replies: (connection, bytes) => this.#takeReplies(connection, bytes),
      tellsServer: () => this.#state !== 'stalled' && this.#state !== 'requests are lost',
      tellsClients: () => this.#state !== 'stalled' && this.#state !== 'replies are lost',
    }
  }

  /** @param serverPort where the server listens on the loopback address, now or later */
  static async open(serverPort: number): Promise<RedisGate> {
    const gate = new RedisGate(serverPort)
    gate.#server.listen(0, '127.0.0.1')
    await once(gate.#server, 'listening')
    return gate
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** `redis://127.0.0.1:<port>` */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Resets all connections, and each new one. What the server was sent before it may still do. */
  cut(): void {
    if (this.#become('cut')) this.hits.cut += this.#resetAll()
  }

  /** Nothing comes through, either way, and nobody hears of anything: all waits for `flow()`. */
  stall(): void {
    if (!this.#become('stalled')) return
    for (const connection of this.#connections) connection.pause()
  }

  /** Ends a stall: what has waited goes on. */
  flow(): void {
    if (this.#state === 'stalled') this.mend()
  }

  /** The server does what it is asked, and no reply comes back. */
  dropReplies(): void {
    this.#become('replies are lost')
  }

  /** No request gets to the server, and nobody says so. */
  dropRequests(): void {
    this.#become('requests are lost')
  }

  /**
   * Ends any fault but a crash. Connections by which something was swallowed are reset, since they make no sense any
   * more.
   */
  mend(): void {
    this.#become('open')
  }

  /**
   * Waits for the next request whose bytes include a text. It reaches the server, but nothing comes back by its
   * connection from then on; once the server has answered it the connection is reset. Not for a request between MULTI
   * and EXEC: nobody knows then when it is answered.
   * @param match default: any request, also those with which a client begins a connection
   * @returns resolves when the connection was reset
   */
  async cutAfterNextRequest(match = ''): Promise<void> {
    if (this.#armed) throw new Error(`A request with '${this.#armed.match}' is still waited for.`)
    await new Promise<void>((resolve) => {
      this.#armed = { match, hit: resolve }
    })
  }

  /** Resets all connections. New ones go to the server that listens there. */
  pointTo(serverPort: number): void {
    this.#serverPort = serverPort
    this.hits.cut += this.#resetAll()
  }

  /**
   * What a client leaves behind whose process dies: what it had sent gets to the server, and nothing comes back. Resolves
   * when the server has dealt with it. From the call on nothing more is taken, and all connections are refused for good.
   */
  async crash(): Promise<void> {
    if (!this.#become('crashed')) return
    const connections = [...this.#connections]
    this.hits.crashed += connections.length
    await Promise.all(connections.map((connection) => connection.leave()))
    for (const connection of connections) connection.reset()
  }

  /** Ends all connections. A second call returns the first promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#become('closed')
    const ended = [...this.#connections].map(({ closed }) => closed)
    this.#resetAll()
    this.#server.close()
    await Promise.all([once(this.#server, 'close'), ...ended])
  }

  /** Ends what is on, and begins this. False if it cannot: a crash is for good, and so is the end. */
  #become(state: State): boolean {
    if (this.#state === 'closed' || (this.#state === 'crashed' && state !== 'closed')) return false
    if (this.#state === 'stalled') {
      this.hits.stalled += [...this.#connections].filter(({ holdsBytes }) => holdsBytes).length
    }
    this.#state = state
    for (const connection of this.#connections) connection.resume()
    return true
  }

  #accept(near: Socket): void {
    if (this.#state === 'cut' || this.#state === 'crashed' || this.#state === 'closed') {
      this.hits.refused += 1
      near.on('error', () => {})
      near.resetAndDestroy()
      return
    }
    const connection = new GateConnection(near, this.#serverPort, this.#passage)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    if (this.#state === 'stalled') connection.pause()
    connection.begin()
  }

  #takeRequest(connection: GateConnection, request: Buffer): void {
    if (this.#state === 'requests are lost') {
      this.hits.lostRequests += 1
      connection.isBroken = true
      return
    }
    connection.send(request)
    if (this.#armed && request.includes(this.#armed.match)) void this.#cutWhenAnswered(connection)
  }

  #takeReplies(connection: GateConnection, bytes: Buffer): void {
    if (this.#state === 'replies are lost') {
      this.hits.lostReplies += 1
      connection.isBroken = true
      return
    }
    connection.reply(bytes)
  }

  async #cutWhenAnswered(connection: GateConnection): Promise<void> {
    const { hit } = this.#armed!
    this.#armed = undefined
    await connection.answered()
    this.hits.cutAfterRequest += 1
    connection.reset()
    hit()
  }

  /** Answers how many there were. */
  #resetAll(): number {
    const connections = [...this.#connections]
    for (const connection of connections) connection.reset()
    return connections.length
  }
}
