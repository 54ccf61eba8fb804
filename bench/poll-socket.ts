import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface PollAnswer {
  readonly status: string
  readonly body: string
  /** Milliseconds on this process's clock. */
  readonly at: number
}

const HEADER_END = '\r\n\r\n'

/** One page's connection, without what an HTTP client would cost: a request is a text, an answer too. */
export class PollSocket {
  readonly #socket: Socket
  readonly #authorization: string
  readonly #page: string
  #cursor = ''
  #received = ''
  #resolve: ((answer: PollAnswer) => void) | undefined
  #reject: ((error: Error) => void) | undefined

  constructor(port: number, localAddress: string, privateToken: string, page: string) {
    this.#authorization = `Authorization: Bearer ${privateToken}`
    this.#page = page
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
    this.#socket.on('error', (error) => this.#reject?.(error))
    this.#socket.on('close', () => this.#reject?.(new Error('The server closed the connection of a poll.')))
  }

  async connected(): Promise<void> {
    await once(this.#socket, 'connect')
  }

  /** Sends a poll. Resolves with its answer. */
  poll(): Promise<PollAnswer> {
    const isNew = this.#cursor === ''
    const headers = [
      'GET /comet HTTP/1.1',
      'Host: 127.0.0.1',
      this.#authorization,
      'Accept: application/json',
      `Comet-Page: ${this.#page}${isNew ? ';new' : ''}`,
      ...(isNew ? [] : [`Last-Event-ID: ${this.#cursor}`]),
    ]
    this.#socket.write(headers.join('\r\n') + HEADER_END)
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  destroy(): void {
    this.#reject = undefined
    this.#socket.destroy()
  }

  #take(text: string): void {
    this.#received += text
    const end = this.#received.indexOf(HEADER_END)
    if (end === -1) return
    const head = this.#received.slice(0, end)
    const length = Number(headerOf(head, 'content-length'))
    const body = this.#received.slice(end + HEADER_END.length)
    if (body.length < length) return
    this.#received = ''
    this.#cursor = headerOf(head, 'comet-cursor') ?? ''
    this.#resolve?.({ status: head.slice(0, head.indexOf('\r\n')), body, at: performance.now() })
  }
}

function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim()
}
