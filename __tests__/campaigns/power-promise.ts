import type { Stored } from './numbered.ts'
import { type Mark, RETAINED_MESSAGES } from './power-marks.ts'
import type { Problem } from './problems.ts'
import { type FoundLog, Promised } from './promised.ts'

/** What a provider makes of the files that a power cut has left. */
export interface RevivedChannel extends FoundLog {
  readonly head: number
  /** What `getClient` answers, by the hash of the private token. */
  readonly clients: ReadonlyMap<string, 'there' | 'stopped' | undefined>
  /** The id that a repetition of the last acknowledged message answers. */
  readonly repeatedId: number | undefined
  /** The id of the next message. */
  readonly nextId: number
}

/** All that somebody was told before the power was cut. */
export class PowerPromise {
  readonly #log = new Promised(RETAINED_MESSAGES)
  /** Those that are not being stopped just now. */
  readonly #clients = new Map<string, 'there' | 'stopped'>()
  #lastAcknowledged: Stored | undefined
  #isClosed = false

  /** Whom to ask for. */
  get clients(): readonly string[] {
    return [...this.#clients.keys()]
  }

  get lastAcknowledged(): Stored | undefined {
    return this.#lastAcknowledged
  }

  get lastNumber(): number {
    return this.#log.lastNumber
  }

  /** Returns what is wrong with it already. */
  take(mark: Mark): Problem[] {
    if ('opened' in mark) this.#log.opened(mark.opened.epoch, mark.opened.head)
    else if ('initialised' in mark) this.#clients.set(mark.initialised, 'there')
    else if ('stopping' in mark) this.#clients.delete(mark.stopping)
    else if ('stopped' in mark) this.#clients.set(mark.stopped, 'stopped')
    else if ('closed' in mark) this.#isClosed = true
    else if ('opening' in mark) this.#isClosed = false
    else if ('fed' in mark) return mark.fed.flatMap((message) => this.#log.note(message))
    else {
      this.#lastAcknowledged = mark.acknowledged.at(-1)
      return mark.acknowledged.flatMap((message) => this.#log.note(message))
    }
    return []
  }

  /** Whether a log with this head lacks something that was told. */
  isLost(head: number): boolean {
    return head < this.#log.lastId
  }

  isOtherEpoch(epoch: string): boolean {
    return this.#log.epoch !== undefined && epoch !== this.#log.epoch
  }

  /**
   * Returns what is wrong with a channel that was revived. A new epoch is right only with durability 'normal', and
   * needless if the channel had been closed; its ids have to be above all that were told.
   */
  check(revived: RevivedChannel, durability: 'full' | 'normal'): Problem[] {
    const { epoch: before, lastId } = this.#log
    const { epoch, nextId } = revived
    const problems: Problem[] = []
    if (nextId <= lastId) {
      problems.push({ kind: 'reused', text: `the next id is ${nextId}, and ${lastId} was told` })
    }
    if (before === undefined) return problems
    if (epoch === before) return [...problems, ...this.#log.check(revived), ...this.#checkRecords(revived)]
    if (durability === 'full' || this.#isClosed) {
      problems.push({ kind: 'reset', text: `the epoch is ${epoch}, and was ${before}` })
    }
    if (this.isLost(revived.head)) {
      problems.push({
        kind: 'reused',
        text: `the new epoch begins at ${revived.head}, and ${lastId} was told`,
      })
    }
    return problems
  }

  #checkRecords({ clients, repeatedId }: RevivedChannel): Problem[] {
    const problems: Problem[] = []
    for (const [hash, state] of this.#clients) {
      if (clients.get(hash) !== state) {
        problems.push({ kind: 'client', text: `${hash} is ${clients.get(hash)}, and was ${state}` })
      }
    }
    if (this.#lastAcknowledged && this.#lastAcknowledged[1] !== repeatedId) {
      problems.push({
        kind: 'twice',
        text: `the key of ${this.#lastAcknowledged} answers ${repeatedId}`,
      })
    }
    return problems
  }
}
