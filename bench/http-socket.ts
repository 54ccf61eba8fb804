import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: string
  readonly head: string
  readonly body: string
  /** Milliseconds on this process's clock. */
  readonly at: number
}

const HEADER_END = '\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'

/** A connection to a server, without what an HTTP client would cost: a request is a text, an answer too. */
export class HttpSocket {
  readonly #socket: Socket
  #received = ''
  #resolve: ((answer: Answer) => void) | undefined
  #reject: ((error: Error) => void) | undefined

  constructor(port: number, localAddress: string) {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
    this.#socket.on('error', (error) => this.#reject?.(error))
    this.#socket.on('close', () => this.#reject?.(new Error('The server closed a connection.')))
  }

  async connected(): Promise<void> {
    await once(this.#socket, 'connect')
  }

  /** Sends a request; the one before has been answered. Resolves with its answer. */
  exchange(lines: readonly string[], body = ''): Promise<Answer> {
    const length = body === '' ? [] : [`Content-Length: ${body.length}`]
    const head = [lines[0], 'Host: 127.0.0.1', ...lines.slice(1), ...length].join('\r\n')
    this.#socket.write(`${head}${HEADER_END}${body}`)
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
    const body = this.#received.slice(end + HEADER_END.length)
    if (!isWhole(head, body)) return
    this.#received = ''
    this.#resolve?.({ status: head.slice(0, head.indexOf('\r\n')), head, body, at: performance.now() })
  }
}

/** A body in chunks is taken with what is between them. */
function isWhole(head: string, body: string): boolean {
  const length = headerOf(head, 'content-length')
  if (length !== undefined) return body.length >= Number(length)
  return headerOf(head, 'transfer-encoding') !== 'chunked' || body.endsWith(LAST_CHUNK)
}

export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim()
}
