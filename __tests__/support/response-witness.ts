import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Middleware } from 'koa'

/** Watches how the responses of a server end, below Koa and the channel. For connections of one request each. */
export class ResponseWitness {
  /** What should never happen, as it happened. */
  readonly faults: string[] = []
  readonly responses: ServerResponse[] = []
  #closed = 0

  /** Sees each response before the channel does. */
  readonly middleware: Middleware = (ctx, next) => {
    this.#watch(ctx.res)
    return next()
  }

  get allClosed(): boolean {
    return this.#closed >= this.responses.length
  }

  #watch(res: ServerResponse): void {
    this.responses.push(res)
    let closes = 0
    res.on('error', ({ message }) => this.faults.push(`error of a response: ${message}`))
    res.on('close', () => {
      closes += 1
      this.#closed += 1
      if (closes > 1) this.faults.push('a response closed twice')
    })
    if (res.socket) this.#watchWrites(res, res.socket)
  }

  #watchWrites(res: ServerResponse, socket: Socket): void {
    const write = socket.write.bind(socket) as (...details: unknown[]) => boolean
    socket.write = (...details: unknown[]) => {
      if (res.writableFinished) this.faults.push('written after the end of a response')
      if (!socket.writable) this.faults.push('written to a connection that is over')
      return write(...details)
    }
  }
}
