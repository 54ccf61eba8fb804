import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type AnswerWay, answerWay, type Ends } from './answer-ways.ts'
import { FAULT_KINDS, type Fault, type FaultKind } from './fault.ts'
import { readRequest } from './read-request.ts'

/** How long the server's end of a half-open connection is left to itself when the page has gone. */
const GHOST_MS = 10_000

/** Says what befalls a request, whose head and body it is given; undefined: nothing. */
export type ChooseFault = (request: string) => Fault | undefined

/**
 * Stands between pages and a server on this machine, and lets a fault befall each request that it is told to. A
 * connection serves one request, which is sent on as it came but for `Connection: close`.
 */
export class FaultProxy {
  /** Asked for each request. May be replaced. */
  choose: ChooseFault
  /** How many faults really hit: a cut behind the end of an answer does not, for one. */
  readonly hits = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  readonly #serverPort: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(serverPort: number, choose: ChooseFault) {
    this.choose = choose
    this.#serverPort = serverPort
    this.#server = createServer({ noDelay: true }, (near) => void this.#exchange(near))
  }

  /** @param serverPort where the server listens on the loopback address */
  static async open(serverPort: number, choose: ChooseFault): Promise<FaultProxy> {
    const proxy = new FaultProxy(serverPort, choose)
    proxy.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** `http://127.0.0.1:<port>` */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many faults really hit, of all kinds. */
  get totalHits(): number {
    return Object.values(this.hits).reduce((sum, hits) => sum + hits, 0)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #exchange(near: Socket): Promise<void> {
    this.#keep(near)
    const request = await readRequest(near)
    if (request === undefined) return
    const fault = this.choose(request)
    const hit = this.#counter(fault)
    switch (fault?.kind) {
      case 'refuse':
        hit()
        near.resetAndDestroy()
        break
      case 'late request':
        unlessClosed(near, fault.ms, () => {
          hit()
          this.#ask(near, request, fault, hit)
        })
        break
      case 'duplicate':
        this.#askTwice(near, request, fault, hit)
        break
      default:
        this.#ask(near, request, fault, hit)
    }
  }

  /** Sends the request on, and the answer back by the way that has the fault. */
  #ask(near: Socket, request: string, fault: Fault | undefined, hit: () => void): void {
    const far = this.#connect(request)
    let isSilent = false
    const ends: Ends = {
      near,
      hit,
      gone: () => far.destroy(),
      silent() {
        isSilent = true
        far.pause()
      },
    }
    relay(far, answerWay(fault, ends))
    near.on('drain', () => isSilent || far.resume())
    near.once('close', () => {
      if (isSilent) setTimeout(() => far.destroy(), GHOST_MS).unref()
      else far.destroy()
    })
    // The page takes no more for now.
    far.on('data', () => near.writableNeedDrain && far.pause())
  }

  #askTwice(
    near: Socket,
    request: string,
    { afterMs, answer }: Extract<Fault, { kind: 'duplicate' }>,
    hit: () => void,
  ): void {
    const ask = (isGivenBack: boolean): void => {
      const far = this.#connect(request)
      near.once('close', () => far.destroy())
      if (!isGivenBack) far.resume()
      else relay(far, { pass: (bytes) => near.write(bytes), end: () => near.end() })
    }
    ask(answer === 'first')
    unlessClosed(near, afterMs, () => {
      hit()
      ask(answer === 'second')
    })
  }

  #connect(request: string): Socket {
    const far = connect({ port: this.#serverPort, host: '127.0.0.1', noDelay: true })
    this.#keep(far)
    far.write(request, 'latin1')
    return far
  }

  #counter(fault: Fault | undefined): () => void {
    let hasHit = false
    return () => {
      if (fault && !hasHit) this.hits[fault.kind] += 1
      hasHit = true
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    // What failed is told by 'close' as well.
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

/** A server that goes away amid an answer cuts it: the page is told the same. */
function relay(far: Socket, way: AnswerWay): void {
  far.on('data', (bytes) => way.pass(bytes))
  far.once('close', () => way.end())
}

/** Does it after a time, unless the connection has closed by then. */
function unlessClosed(near: Socket, ms: number, work: () => void): void {
  const timer = setTimeout(work, ms)
  near.once('close', () => clearTimeout(timer))
}
