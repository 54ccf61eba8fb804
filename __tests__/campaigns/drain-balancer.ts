import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Takes connections, and passes each on to the server that is the target when it comes. */
export class DrainBalancer {
  /** The port of a server on this machine. */
  target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number) {
    this.target = target
    this.#server = createServer({ noDelay: true }, (near) => this.#pass(near))
  }

  static async open(target: number): Promise<DrainBalancer> {
    const balancer = new DrainBalancer(target)
    balancer.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
    await once(balancer.#server, 'listening')
    return balancer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(near: Socket): void {
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.pipe(other)
      // The other end is told by 'close'.
      one.on('error', () => {})
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroySoon()
      })
    }
  }
}
