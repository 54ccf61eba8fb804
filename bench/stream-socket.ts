import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Each message of the benchmark has this in it, once. */
const MARK = '"n":"Bench"'

/** One page's stream, without what an HTTP client would cost: it counts messages. */
export class StreamSocket {
  readonly #socket: Socket
  #rest = ''
  #count = 0
  #awaited = Number.POSITIVE_INFINITY
  #resolve: (() => void) | undefined

  constructor(port: number, localAddress: string, privateToken: string) {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
    const headers = [
      'GET /comet HTTP/1.1',
      'Host: 127.0.0.1',
      `Authorization: Bearer ${privateToken}`,
      'Accept: text/event-stream',
    ]
    this.#socket.write(`${headers.join('\r\n')}\r\n\r\n`)
  }

  /** Resolves when the head has come. */
  async opened(): Promise<void> {
    await once(this.#socket, 'data')
  }

  /** Resolves when so many messages have come in all. */
  received(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = count
      this.#resolve = resolve
      this.#look()
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #take(text: string): void {
    const whole = this.#rest + text
    for (let at = whole.indexOf(MARK); at !== -1; at = whole.indexOf(MARK, at + 1)) this.#count += 1
    // What may be the beginning of a mark, and can be no whole one.
    this.#rest = whole.slice(-(MARK.length - 1))
    this.#look()
  }

  #look(): void {
    if (this.#count > this.#awaited)
      throw new Error(`${this.#count} messages came, where ${this.#awaited} were sent.`)
    if (this.#count === this.#awaited) this.#resolve?.()
  }
}
