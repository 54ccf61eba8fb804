import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { RequestReader } from './request-reader.ts'

/** What a gate does with what comes by its connections. */
export interface Passage {
  /** A whole request has come: it gets to the server if it is passed on by `connection.send`. */
  request(connection: GateConnection, request: Buffer): void
  /** Bytes of replies have come: they get to the client by `connection.reply`. */
  replies(connection: GateConnection, bytes: Buffer): void
  /** Whether the server hears that a client has gone. */
  tellsServer(): boolean
  /** Whether clients hear that the server has gone. */
  tellsClients(): boolean
}

/** One connection of a client through a gate, and that to the server which belongs to it. */
export class GateConnection {
  /** Whether something was swallowed. Nothing sensible can come by it any more. */
  isBroken = false
  /** Resolves when both ends are closed. */
  readonly closed: Promise<unknown>
  readonly #near: Socket
  readonly #far: Socket
  readonly #farClosed: Promise<void>
  readonly #passage: Passage
  readonly #requests = new RequestReader()
  /** The client is heard no more, and hears nothing. */
  #isLeft = false

  constructor(near: Socket, serverPort: number, passage: Passage) {
    this.#near = near
    this.#far = connect({ port: serverPort, host: '127.0.0.1', noDelay: true })
    this.#passage = passage
    this.#farClosed = closed(this.#far).then(() => {
      if (passage.tellsClients() && !this.#isLeft) this.#near.end()
    })
    const nearClosed = closed(near).then(() => {
      if (passage.tellsServer()) this.#far.end()
    })
    this.closed = Promise.all([nearClosed, this.#farClosed])
  }

  /** Begins to take what comes, unless it is paused. */
  begin(): void {
    this.#near.on('data', (bytes) => this.#takeRequests(bytes))
    this.#far.on('data', (bytes) => {
      if (!this.#isLeft) this.#passage.replies(this, bytes)
    })
  }

  send(request: Buffer): void {
    this.#far.write(request)
  }

  reply(bytes: Buffer): void {
    this.#near.write(bytes)
  }

  /** What comes waits, either way. */
  pause(): void {
    this.#near.pause()
    this.#far.pause()
  }

  /** Whether something has come that waits. */
  get holdsBytes(): boolean {
    return this.#near.readableLength > 0 || this.#far.readableLength > 0
  }

  /** Goes on. What cannot is ended, and so is what has ended without being told. */
  resume(): void {
    this.#far.resume()
    if (this.isBroken || this.#far.destroyed) this.#near.resetAndDestroy()
    else this.#near.resume()
    if (this.#near.destroyed) this.#far.end()
  }

  /** Ends it, by a reset for the client. What the server was sent it may still do. */
  reset(): void {
    this.#near.resetAndDestroy()
    this.#far.destroy()
  }

  /** Leaves the client. Resolves when the server has dealt with all that it was sent, or has gone. */
  async leave(): Promise<void> {
    this.#leaveClient()
    // A server reads all that comes before the end, and ends as well.
    this.#far.resume().end()
    await this.#farClosed
  }

  /** Leaves the client. Resolves when the server has answered all that it was sent, or has gone. */
  async answered(): Promise<void> {
    this.#leaveClient()
    const mark = randomUUID()
    this.send(Buffer.from(`*2\r\n$4\r\nPING\r\n$${mark.length}\r\n${mark}\r\n`))
    await Promise.race([this.#told(mark), this.#farClosed])
  }

  #leaveClient(): void {
    this.#isLeft = true
    this.#near.pause()
  }

  #takeRequests(bytes: Buffer): void {
    for (const request of this.#requests.take(bytes)) {
      if (!this.#isLeft) this.#passage.request(this, request)
    }
  }

  async #told(mark: string): Promise<void> {
    let replies = ''
    await new Promise<void>((resolve) => {
      this.#far.on('data', (bytes) => {
        replies += bytes.toString('latin1')
        if (replies.includes(mark)) resolve()
        replies = replies.slice(-mark.length)
      })
    })
  }
}

function closed(socket: Socket): Promise<void> {
  // What failed is told by 'close' as well.
  socket.on('error', () => {})
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}
