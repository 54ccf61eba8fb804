import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * A reader that takes nothing at all for this long is cut off, and comes back from its cursor. The time starts anew
 * with whatever it takes: a slow one is not cut. What it sends counts for nothing.
 */
export const STALLED_READER_SECONDS = 10

/** How often it is looked at who takes something. Looks are counted: a process that stood still has cut nobody off. */
const LOOK_MS = 1000
const MAX_IDLE_LOOKS = (STALLED_READER_SECONDS * 1000) / LOOK_MS

/** What weighs no more than the request that it answers. */
const SMALL_BYTES = 16 * 1024

/** Over HTTP/2 a response has a stream of its own, and what is called its socket ends that alone. */
type AnyResponse = ServerResponse & { readonly stream?: { readonly writableLength: number } }

/** Node keeps to itself how much of a large write has left: without it, who takes that slowly would seem to take nothing. */
type Connection = Socket & {
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null
}

const unfinished = new Set<UnfinishedAnswer>()
let looking: NodeJS.Timeout | undefined

/**
 * An answer, or a piece of one, that is on its way. Cuts its connection if the reader stalls, until it has left
 * whole. One timer looks at all of them.
 */
export class UnfinishedAnswer {
  readonly #isSmall: boolean
  #res: AnyResponse | undefined
  #connection: Connection | undefined
  #taken: number
  #idleLooks = 0
  #over: Promise<void> | undefined
  #tellOver: (() => void) | undefined

  /** @param bytes how much there is to take. Default: what was written and has not left */
  constructor(res: ServerResponse, bytes = res.writableLength) {
    this.#res = res
    this.#connection = res.req.socket
    this.#taken = takenFrom(this.#connection)
    this.#isSmall = bytes <= SMALL_BYTES
    res.on('close', this.finish)
    unfinished.add(this)
    looking ??= setInterval(lookAtAll, LOOK_MS).unref()
  }

  get isOver(): boolean {
    return this.#res === undefined
  }

  /** Whether that response stands in line on the same connection: nothing of it can leave yet. */
  isAheadOf(res: ServerResponse): boolean {
    const isOfOneConnection = this.#connection !== undefined && this.#connection === res.req.socket
    // Node gives a response its socket when those before it have left.
    return isOfOneConnection && res.socket === null
  }

  /** Resolves when it is that response's turn on its connection, or this one is over. */
  turnOf(res: ServerResponse): Promise<void> {
    this.#over ??= new Promise((resolve) => {
      this.#tellOver = resolve
    })
    const over = this.#over
    return new Promise((resolve) => {
      const done = (): void => {
        res.off('socket', done)
        resolve()
      }
      res.on('socket', done)
      void over.then(done)
    })
  }

  /** Its reader has another answer on its way. On a connection of its own this one is waited for no longer. */
  giveWayTo(next: UnfinishedAnswer): void {
    if (!this.#isSmall && this.#connection !== next.#connection) this.#connection?.destroy()
  }

  /** Nothing of it is left to be taken: nobody looks at it any more. */
  readonly finish = (): void => {
    this.#res?.off('close', this.finish)
    this.#res = undefined
    this.#connection = undefined
    this.#tellOver?.()
    unfinished.delete(this)
    if (unfinished.size > 0) return
    clearInterval(looking)
    looking = undefined
  }

  look(): void {
    const [res, connection] = [this.#res, this.#connection]
    // One that stands in line behind another is not told that their connection is gone.
    if (!res || !connection || connection.destroyed) return this.finish()
    const taken = takenFrom(connection)
    // Where nothing waits, the reader has taken all that was written so far.
    const isIdle = (res.stream ?? connection).writableLength > 0 && taken === this.#taken
    this.#idleLooks = isIdle ? this.#idleLooks + 1 : 0
    this.#taken = taken
    if (this.#idleLooks > MAX_IDLE_LOOKS) connection.destroy()
  }
}

/** Changes whenever the other end takes something, or is written anew when all has been taken. */
function takenFrom({ _handle, bytesWritten, writableLength }: Connection): number {
  return _handle ? _handle.bytesWritten - _handle.writeQueueSize : bytesWritten - writableLength
}

function lookAtAll(): void {
  for (const answer of unfinished) answer.look()
}
