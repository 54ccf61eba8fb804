import type { Database, Statement } from 'better-sqlite3'
import { CometException } from '../../lib/comet-exception.ts'
import type { Done } from '../../lib/comet-state-provider.ts'
import type { AppSend } from './app-transactions.ts'
import { retryWhileBusy } from './busy.ts'
import { type ChannelRows, sweptTime } from './channel-row.ts'
import { isKept, type MarkRows } from './mark-rows.ts'
import { withWriteLock } from './write-transaction.ts'

/** How many are asked after in one turn of the event loop: a few milliseconds. */
const STEP = 1000

interface Pending {
  readonly send: AppSend
  resolve(done: Done): void
  reject(error: unknown): void
}

/** The promises of messages that were sent within transactions of the app. */
export class PendingSends {
  readonly #database: Database
  readonly #rows: ChannelRows
  readonly #marks: MarkRows
  readonly #catchUp: () => Promise<void>
  readonly #dataVersion: Statement<[], number>
  readonly #pending = new Set<Pending>()
  #seenVersion: number | undefined
  #lastLook: Promise<void> = Promise.resolve()
  #isLookPlanned = false

  /**
   * @param database a connection of our own, and so are those of `rows` and `marks`
   * @param catchUp makes the listener see what is committed
   */
  constructor(database: Database, rows: ChannelRows, marks: MarkRows, catchUp: () => Promise<void>) {
    this.#database = database
    this.#rows = rows
    this.#marks = marks
    this.#catchUp = catchUp
    this.#dataVersion = database.prepare<[], number>('PRAGMA data_version').pluck()
    this.#seenVersion = this.#dataVersion.get()
  }

  get size(): number {
    return this.#pending.size
  }

  /** Resolves when the message is committed and fed, rejects with `COMET_ROLLED_BACK` when it is gone. */
  settled(send: AppSend): Promise<Done> {
    return new Promise((resolve, reject) => {
      this.#pending.add({ send, resolve, reject })
      if (this.#isLookPlanned) return
      this.#isLookPlanned = true
      // Most transactions end in the turn in which they began.
      setImmediate(() => {
        this.#isLookPlanned = false
        void this.look()
      })
    })
  }

  /**
   * Settles all of which it can be known what became of them. One look comes after another. Never rejects.
   *
   * @param seconds how long to wait for a transaction that is open
   */
  look(seconds = 0): Promise<void> {
    this.#lastLook = this.#lastLook.then(() => this.#look(seconds))
    return this.#lastLook
  }

  /** Nobody here will know any more what became of them. */
  abandon(reason: CometException): void {
    for (const { reject } of this.#pending) reject(reason)
    this.#pending.clear()
  }

  async #look(seconds: number): Promise<void> {
    try {
      await this.#settleCommitted()
      if (this.#pending.size > 0) await this.#settleEnded(seconds)
    } catch {
      // A transaction is open, or the file cannot be read at present. The next look finds out.
    }
  }

  /** A mark that is seen is committed, whoever writes now. */
  async #settleCommitted(): Promise<void> {
    if (this.#pending.size === 0) return
    const version = this.#dataVersion.get()
    // While nobody has committed, no mark is new.
    if (version === this.#seenVersion) return
    await inSteps([...this.#pending], (step) => void this.#settleMarked(step))
    this.#seenVersion = version
  }

  /**
   * Whatever has no mark may be in a transaction that is open. That has the write lock, and cannot be asked without
   * becoming part of it. Once we have had the lock, each has ended: what has no mark was rolled back.
   */
  async #settleEnded(seconds: number): Promise<void> {
    const ended = await retryWhileBusy(seconds, () => withWriteLock(this.#database, () => [...this.#pending]))
    await inSteps(ended, (step) => {
      const unmarked = this.#settleMarked(step)
      // Read after the marks: one that is kept by now was kept when it was looked for.
      const swept = sweptTime(this.#rows.read())
      for (const pending of unmarked) {
        this.#pending.delete(pending)
        pending.reject(isKept(pending.send.markedAt, swept) ? rolledBack() : forgotten())
      }
    })
  }

  /** Resolves those whose marks are seen. Returns the others. */
  #settleMarked(step: readonly Pending[]): Pending[] {
    const unmarked: Pending[] = []
    for (const pending of step) {
      if (this.#marks.has(pending.send.mark)) this.#resolve(pending)
      else unmarked.push(pending)
    }
    return unmarked
  }

  #resolve(pending: Pending): void {
    const { id, epoch } = pending.send
    const done = () => pending.resolve({ id, epoch })
    this.#pending.delete(pending)
    // A failure to read on is told to the listener; the message is stored either way.
    this.#catchUp().then(done, done)
  }
}

/** Does it with some of them at a time, each time in a turn of its own. */
async function inSteps<T>(all: readonly T[], work: (step: readonly T[]) => void): Promise<void> {
  for (let begin = 0; begin < all.length; begin += STEP) {
    if (begin > 0) await new Promise(setImmediate)
    work(all.slice(begin, begin + STEP))
  }
}

function rolledBack(): CometException {
  return new CometException('COMET_ROLLED_BACK', 'The transaction was rolled back: the message was not sent.')
}

function forgotten(): CometException {
  const text =
    'It was asked after so late that it is not known any more whether the transaction was committed.'
  return new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
}
