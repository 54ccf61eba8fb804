import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { RedisServer } from './redis-server.ts'
import { RequestReader } from './request-reader.ts'

/** A way to a redis-server which carries little, or by which not all can be asked. */
export class RedisLine {
  /** Of the replies to a request so much comes in time. The rest never comes. */
  carriesBytes = Number.POSITIVE_INFINITY
  /** When connections have been made. */
  readonly connectedAt: number[] = []
  readonly #requests: string[] = []
  readonly #server: Server
  #refused: RegExp | undefined
  #refusal = ''
  #refusals = 0

  constructor({ port }: RedisServer) {
    this.#server = createServer((near) => this.#join(near, connect(port, '127.0.0.1')))
  }

  async open(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on these requests, and no others, are answered by an error, so many times. */
  refuse(requests?: RegExp, error = 'ERR not supported here', times = Number.POSITIVE_INFINITY): void {
    this.#refused = requests
    this.#refusal = error
    this.#refusals = times
  }

  async close(): Promise<void> {
    await once(this.#server.close(), 'close')
  }

  /** What the requests have given for an option that is a number. */
  asked(option: string): number[] {
    const given = new RegExp(`${option}\\r\\n\\$\\d+\\r\\n(\\d+)`)
    return this.#requests.flatMap((request) => given.exec(request)?.slice(1).map(Number) ?? [])
  }

  #join(near: Socket, far: Socket): void {
    this.connectedAt.push(performance.now())
    const reader = new RequestReader()
    let carried = 0
    near.on('data', (bytes) => {
      for (const request of reader.take(bytes).map(String)) {
        carried = 0
        this.#requests.push(request)
        if (this.#isRefused(request)) near.write(`-${this.#refusal}\r\n`)
        else far.write(request)
      }
    })
    far.on('data', (bytes) => {
      near.write(bytes.subarray(0, Math.max(this.carriesBytes - carried, 0)))
      carried += bytes.length
    })
    near.on('error', () => {}).on('close', () => far.destroy())
    far.on('error', () => {}).on('close', () => near.destroy())
  }

  #isRefused(request: string): boolean {
    if (this.#refusals === 0 || !this.#refused?.test(request)) return false
    this.#refusals -= 1
    return true
  }
}
