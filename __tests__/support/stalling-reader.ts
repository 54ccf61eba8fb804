import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { createParser } from 'eventsource-parser'
import { RESERVED_PREFIX, type WireMessage } from '../../lib/wire.ts'
import { eventually } from './eventually.ts'

export interface StallingOptions {
  readonly cursor?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Whether it reads nothing from the first byte on. */
  readonly isStalled?: boolean
}

/** One stream whose reader takes what comes when it likes. It reads the socket itself, past all buffers but the system's. */
export class StallingReader {
  readonly socket: Socket
  /** The status line and headers, once they have come. */
  head = ''
  /** How many bytes it has taken. */
  bytesTaken = 0
  /** The last id that came, be it alone. */
  cursor: string | undefined
  /** How it ended: by the last chunk, or without one. */
  ending: 'ended' | 'cut' | undefined
  readonly #told: (message: WireMessage) => void
  /** The fields of the last block. */
  lastBlock = ''
  /** The body of an answer that is no stream. */
  body = ''
  readonly #chunks = new ChunkReader((text) => this.#read(text))
  readonly #parser = createParser({
    onEvent: ({ data }) => this.#told(JSON.parse(data) as WireMessage),
  })

  /** @param told takes each event as it comes, so that nothing need be kept */
  constructor(
    where: NetConnectOpts,
    privateToken: string,
    told: (message: WireMessage) => void,
    { cursor, headers = {}, isStalled = false }: StallingOptions = {},
  ) {
    this.#told = told
    this.socket = connect(where)
    if (isStalled) this.socket.pause()
    const lines = Object.entries({
      Host: 'x',
      Accept: 'text/event-stream',
      Authorization: `Bearer ${privateToken}`,
      ...(cursor !== undefined && { 'Last-Event-ID': cursor }),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`GET /comet HTTP/1.1\r\n${lines.join('')}\r\n`)
    this.socket.on('data', (bytes) => this.#take(bytes))
    // A reset is one of the ways in which a server ends.
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.ending ??= 'cut'
    })
  }

  /** Reads no more. */
  stall(): void {
    this.socket.pause()
  }

  readOn(): void {
    this.socket.resume()
  }

  /** Reads on until it has taken so many bytes more, and stalls again. */
  async takeBytes(count: number): Promise<void> {
    const enough = this.bytesTaken + count
    this.readOn()
    await eventually(() => this.bytesTaken >= enough || this.ending !== undefined)
    this.stall()
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await eventually(() => this.socket.closed)
  }

  get status(): number {
    return Number(this.head.split(' ', 2)[1])
  }

  /** Each piece that this server writes is whole blocks. */
  #read(text: string): void {
    this.cursor = /^id: (.*)$/gm.exec(text.slice(text.lastIndexOf('\nid: ') + 1))?.[1] ?? this.cursor
    this.lastBlock = text.trimEnd().split('\n\n').at(-1)!
    this.#parser.feed(text)
  }

  #take(bytes: Buffer): void {
    this.bytesTaken += bytes.length
    let body = bytes
    if (!this.head.endsWith('\r\n\r\n')) {
      const seen = this.head + bytes.toString('latin1')
      const end = seen.indexOf('\r\n\r\n') + 4
      const taken = end < 4 ? bytes.length : end - this.head.length
      this.head = seen.slice(0, this.head.length + taken)
      body = bytes.subarray(taken)
    }
    if (this.head.includes('Transfer-Encoding: chunked\r\n')) {
      this.#chunks.feed(body)
      if (this.#chunks.isOver) this.ending ??= 'ended'
    } else if (this.head.endsWith('\r\n\r\n')) {
      this.body += body.toString()
      const length = /^Content-Length: (\d+)/im.exec(this.head)?.[1] ?? '0'
      if (Buffer.byteLength(this.body) >= Number(length)) this.ending ??= 'ended'
      if (this.ending === 'ended' && /^Content-Type: text\/event-stream/im.test(this.head))
        this.#read(this.body)
    }
  }
}

/** The app's messages alone. */
export function ofApp(told: (message: WireMessage) => void): (message: WireMessage) => void {
  return (message) => {
    if (!message.n.startsWith(RESERVED_PREFIX)) told(message)
  }
}

/** Takes chunked encoding apart (RFC 9112, 7.1). Throws at bytes that are none. */
class ChunkReader {
  isOver = false
  readonly #told: (text: string) => void
  readonly #decoder = new TextDecoder()
  #rest = Buffer.alloc(0)

  constructor(told: (text: string) => void) {
    this.#told = told
  }

  feed(bytes: Buffer): void {
    if (bytes.length === 0) return
    if (this.isOver) throw new Error(`Something comes after the last chunk: ${bytes.toString('latin1')}`)
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    for (;;) {
      const lineEnd = rest.indexOf('\r\n')
      if (lineEnd < 0) break
      const line = rest.toString('latin1', 0, lineEnd)
      if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`No size of a chunk: ${line.slice(0, 80)}`)
      const [from, size] = [lineEnd + 2, Number.parseInt(line, 16)]
      if (rest.length < from + size + 2) break
      if (size === 0) this.isOver = true
      else this.#told(this.#decoder.decode(rest.subarray(from, from + size), { stream: true }))
      rest = rest.subarray(from + size + 2)
    }
    // A copy, lest a few bytes keep a large piece.
    this.#rest = Buffer.from(rest)
  }
}
