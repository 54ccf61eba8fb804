import type { Database } from 'better-sqlite3'
import { CometException } from '../../lib/comet-exception.ts'
import type { Done } from '../../lib/comet-state-provider.ts'
import type { AppSend } from './app-transactions.ts'
import { KEEP_MARK_MS, type MarkRows } from './mark-rows.ts'
import { withWriteLock } from './write-transaction.ts'

interface Pending {
  readonly send: AppSend
  /** Milliseconds on the monotonic clock. */
  readonly since: number
  resolve(done: Done): void
  reject(error: unknown): void
}

/** The promises of messages that were sent within transactions of the app. */
export class PendingSends {
  readonly #database: Database
  readonly #marks: MarkRows
  readonly #catchUp: () => Promise<void>
  #pending: Pending[] = []
  #isLooking = false

  /**
   * @param database a connection of our own
   * @param catchUp makes the listener see what is committed
   */
  constructor(database: Database, marks: MarkRows, catchUp: () => Promise<void>) {
    this.#database = database
    this.#marks = marks
    this.#catchUp = catchUp
  }

  get size(): number {
    return this.#pending.length
  }

  /** Resolves when the message is committed and fed, rejects with `COMET_ROLLED_BACK` when it is gone. */
  settled(send: AppSend): Promise<Done> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ send, since: performance.now(), resolve, reject })
      if (this.#isLooking) return
      this.#isLooking = true
      // Most transactions end in the turn in which they began.
      setImmediate(() => {
        this.#isLooking = false
        this.look()
      })
    })
  }

  /**
   * Settles all, if no transaction is open that has written. While one is, it has the write lock, and cannot be asked
   * without becoming part of it. Once we have the lock, each has ended: what has no mark was rolled back.
   */
  look(): void {
    if (this.#pending.length === 0) return
    let marked: boolean[]
    try {
      marked = withWriteLock(this.#database, () =>
        this.#pending.map(({ send }) => this.#marks.has(send.mark)),
      )
    } catch {
      // It is open, or the file cannot be read at present. The next look finds out.
      return
    }
    for (const [index, pending] of this.#pending.splice(0).entries()) this.#settle(pending, marked[index]!)
  }

  /** Nobody here will know any more what became of them. */
  abandon(reason: CometException): void {
    for (const { reject } of this.#pending.splice(0)) reject(reason)
  }

  #settle({ send, since, resolve, reject }: Pending, isMarked: boolean): void {
    if (isMarked) {
      const done = () => resolve({ id: send.id, epoch: send.epoch })
      // A failure to read on is told to the listener; the message is stored either way.
      this.#catchUp().then(done, done)
    } else if (performance.now() - since < KEEP_MARK_MS / 2) {
      const text = 'The transaction was rolled back: the message was not sent.'
      reject(new CometException('COMET_ROLLED_BACK', text))
    } else {
      const text = 'The transaction took so long that it is not known any more whether it was committed.'
      reject(new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text))
    }
  }
}
