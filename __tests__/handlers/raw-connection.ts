import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { eventually } from '../support/eventually.ts'

/** An HTTP/1 answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A connection that sends any bytes at all, and keeps what comes back. */
export class RawConnection {
  readonly socket: Socket
  #received: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
    // A reset is one of the ways in which a server refuses.
    socket.on('error', () => {})
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  get received(): string {
    return this.#received.toString('latin1')
  }

  get isClosed(): boolean {
    return this.socket.closed
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  /** Takes the next answer off what was received. */
  async answer(): Promise<RawAnswer> {
    await eventually(() => this.#split() !== undefined || this.isClosed)
    const split = this.#split()
    if (split === undefined) throw new Error(`The connection closed after: ${this.received}`)
    this.#received = split.rest
    return split.answer
  }

  close(): Promise<unknown> {
    const closed = this.isClosed ? Promise.resolve() : once(this.socket, 'close')
    this.socket.destroy()
    return closed
  }

  #split(): { answer: RawAnswer; rest: Buffer } | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [statusLine = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n')
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    const length = Number(headers['content-length'] ?? 0)
    const from = end + 4
    if (this.#received.length < from + length) return undefined
    const body = this.#received.subarray(from, from + length).toString()
    const status = Number(statusLine.split(' ')[1])
    return { answer: { status, headers, body }, rest: this.#received.subarray(from + length) }
  }
}

/** Sends one request on a connection of its own. Of `HEAD` and 204 answers, the headers. */
export async function rawExchange(port: number, request: string | Buffer): Promise<RawAnswer> {
  const connection = await RawConnection.open(port)
  connection.send(request)
  try {
    return await connection.answer()
  } finally {
    await connection.close()
  }
}
