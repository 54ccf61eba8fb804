import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { StreamFrame } from './stream-frame.ts'

/**
 * A reader that takes nothing at all for this long is cut off, and comes back from its cursor. The clock starts anew
 * with whatever it takes: a slow one is not cut. Two frames at most wait for it.
 */
export const STALLED_READER_SECONDS = 10

/** What both kinds of connection have below a response. */
interface Connection {
  setTimeout(ms: number, listener?: () => void): unknown
  off(event: 'timeout', listener: () => void): unknown
  readonly timeout?: number | undefined
}

interface Source {
  once(event: 'drain', listener: () => void): unknown
}

/** Whoever writes is told when it may go on. */
interface WriterOwner {
  /** A connection that was choked takes more. */
  drained(): void
}

/** Over HTTP/2 a response has a stream of its own. */
type StreamedResponse = ServerResponse & { readonly stream?: Connection }

/** Writes frames to one response, no faster than its connection takes them. */
export class StreamWriter {
  readonly #res: StreamedResponse
  readonly #owner: WriterOwner
  #isChoked = false

  constructor(res: ServerResponse, owner: WriterOwner) {
    this.#res = res
    this.#owner = owner
  }

  /** Whether what was written last has not left yet: nothing more is to be written before `drained`. */
  get isChoked(): boolean {
    return this.#isChoked
  }

  /** Writes the first frame. The response's head leaves with it, so that it cannot go past the response. */
  begin({ bytes }: StreamFrame): void {
    this.#throughResponse(bytes)
  }

  write(frame: StreamFrame): void {
    const res = this.#res
    if (!takesChunks(res)) this.#throughResponse(frame.bytes)
    else if (!res.socket.write(frame.chunk)) this.#choke(res.socket)
  }

  #throughResponse(bytes: Buffer): void {
    // A write that a middleware has put in place may return nothing: that is no word of a choked connection.
    if (this.#res.write(bytes) === false) this.#choke(this.#res)
  }

  #choke(source: Source): void {
    if (this.#isChoked) return
    this.#isChoked = true
    const res = this.#res
    // The connection's own timer knows whether anything leaves; nothing else does.
    const connection: Connection | null = res.stream ?? res.socket
    const before = connection?.timeout ?? 0
    const cut = () => res.destroy()
    connection?.setTimeout(STALLED_READER_SECONDS * 1000, cut)
    source.once('drain', () => {
      this.#isChoked = false
      connection?.off('timeout', cut)
      // Of a response that has ended, the connection is another's by now.
      if (!res.writableEnded) connection?.setTimeout(before)
      this.#owner.drained()
    })
  }
}

/**
 * Whether chunks may go past the response to its socket, which costs a third less: HTTP/1.1, nothing waits in the
 * response, and no middleware has put a `write` of its own in place.
 */
function takesChunks(res: StreamedResponse): res is StreamedResponse & { readonly socket: Socket } {
  const { socket } = res
  const isChunked = res.chunkedEncoding && res.headersSent && !Object.hasOwn(res, 'write')
  return isChunked && socket?.writable === true && res.writableLength === socket.writableLength
}
