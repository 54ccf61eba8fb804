import { CometException } from '../../lib/comet-exception.ts'
import type { Done } from '../../lib/comet-state-provider.ts'
import type { AppSend, AppTransactions } from './app-transactions.ts'

interface Pending {
  readonly send: AppSend
  resolve(done: Done): void
  reject(error: unknown): void
}

/** The promises of messages that were sent within transactions of the app. */
export class PendingSends {
  readonly #transactions: AppTransactions
  readonly #catchUp: () => Promise<void>
  readonly #pending = new Set<Pending>()

  /** @param catchUp makes the listener see what is committed */
  constructor(transactions: AppTransactions, catchUp: () => Promise<void>) {
    this.#transactions = transactions
    this.#catchUp = catchUp
  }

  /** Resolves when the message is committed and fed, rejects with `COMET_ROLLED_BACK` when it is gone. */
  settled(send: AppSend): Promise<Done> {
    return new Promise((resolve, reject) => {
      this.#pending.add({ send, resolve, reject })
      // Most transactions end in the turn in which they began.
      setImmediate(() => this.look())
    })
  }

  /** Settles those whose transaction has ended. */
  look(): void {
    for (const pending of this.#pending) {
      try {
        this.#lookAt(pending)
      } catch {
        // The file cannot be read at present. The next look finds out.
      }
    }
  }

  /** The commits decide, and nobody here will see them. */
  close(): void {
    for (const { reject } of this.#pending) {
      const text =
        'The channel closed before the transaction had ended: whether the message was sent is unknown.'
      reject(new CometException('COMET_CHANNEL_IS_CLOSED', text))
    }
    this.#pending.clear()
  }

  #lookAt(pending: Pending): void {
    const { send, resolve, reject } = pending
    const fate = this.#transactions.fateOf(send)
    if (fate === 'open') return
    this.#pending.delete(pending)
    if (fate === 'rolled back') {
      const text = 'The transaction was rolled back: the message was not sent.'
      reject(new CometException('COMET_ROLLED_BACK', text))
      return
    }
    const done = () => resolve({ id: send.id, epoch: send.epoch })
    // A failure to read on is told to the listener; the message is stored either way.
    this.#catchUp().then(done, done)
  }
}
