import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { StreamFrame } from './stream-frame.ts'
import { UnfinishedAnswer } from './unfinished-answer.ts'

interface Source {
  once(event: 'drain', listener: () => void): unknown
}

/** Whoever writes is told when it may go on. */
interface WriterOwner {
  /** A connection that was choked takes more. */
  drained(): void
}

/** Writes frames to one response, no faster than its connection takes them: two at most wait for a reader. */
export class StreamWriter {
  readonly #res: ServerResponse
  readonly #owner: WriterOwner
  #choked: UnfinishedAnswer | undefined

  constructor(res: ServerResponse, owner: WriterOwner) {
    this.#res = res
    this.#owner = owner
  }

  /** Whether what was written last has not left yet: nothing more is to be written before `drained`. */
  get isChoked(): boolean {
    return this.#choked !== undefined
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
    if (this.#choked) return
    this.#choked = new UnfinishedAnswer(this.#res)
    source.once('drain', () => {
      this.#choked?.finish()
      this.#choked = undefined
      this.#owner.drained()
    })
  }
}

/**
 * Whether chunks may go past the response to its socket, which costs a third less: HTTP/1.1, nothing waits in the
 * response, and no middleware has put a `write` of its own in place.
 */
function takesChunks(res: ServerResponse): res is ServerResponse & { readonly socket: Socket } {
  const { socket } = res
  const isChunked = res.chunkedEncoding && res.headersSent && !Object.hasOwn(res, 'write')
  return isChunked && socket?.writable === true && res.writableLength === socket.writableLength
}
