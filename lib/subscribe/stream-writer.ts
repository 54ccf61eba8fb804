import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isGone } from './is-gone.ts'
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

/**
 * Those that have something to write at the end of this turn. Written one right after the other, it costs less: the
 * system need not wake those who read for each of them.
 */
let waiting: StreamWriter[] = []

/**
 * Writes frames to one response, no faster than its connection takes them: two at most wait for a reader. No write can
 * throw into whoever writes to many.
 */
export class StreamWriter {
  readonly #res: ServerResponse
  readonly #owner: WriterOwner
  /** By which chunks go past the response, which costs a third less; undefined where they must not. */
  readonly #socket: Socket | undefined
  #frame: StreamFrame | undefined
  #choked: UnfinishedAnswer | undefined

  /** Writes the first frame. The response's head leaves with it, so that it cannot go past the response. */
  constructor(res: ServerResponse, owner: WriterOwner, { bytes }: StreamFrame) {
    this.#res = res
    this.#owner = owner
    this.#throughResponse(bytes)
    this.#socket = chunkSocketOf(res)
  }

  /** Whether what was written last has not left yet: nothing more is to be written before `drained`. */
  get isChoked(): boolean {
    return this.#choked !== undefined
  }

  /** Writes a frame at the end of this turn, unless the response is over by then. */
  write(frame: StreamFrame): void {
    this.flush()
    this.#frame = frame
    if (waiting.length === 0) process.nextTick(flushWaiting)
    waiting.push(this)
  }

  /** Writes at once what waits for the end of this turn, if something does. */
  flush(): void {
    const frame = this.#frame
    if (frame === undefined) return
    this.#frame = undefined
    const res = this.#res
    if (res.writableEnded) return
    try {
      this.#writeNow(frame)
    } catch {
      // Somebody else has spoiled this response. Its page asks again; the others must not suffer.
      res.destroy()
    }
  }

  #writeNow(frame: StreamFrame): void {
    const socket = this.#socket
    // What waits in the response, whose head may stand in line behind another answer, comes first.
    const mayGoPast = socket?.writable && this.#res.writableLength === socket.writableLength
    if (!mayGoPast) {
      if (!isGone(this.#res)) this.#throughResponse(frame.bytes)
    } else if (!socket.write(frame.chunk)) this.#choke(socket)
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

function flushWaiting(): void {
  const writers = waiting
  waiting = []
  for (const writer of writers) writer.flush()
}

/** Of an answer over HTTP/1.1, unless a middleware has put a `write` of its own in place. */
function chunkSocketOf(res: ServerResponse): Socket | undefined {
  const isChunked = res.chunkedEncoding && !Object.hasOwn(res, 'write')
  return isChunked ? (res.socket ?? undefined) : undefined
}
