import { randomUUID } from 'node:crypto'

/**
 * Calls that must not be done twice, one after another. Each has the next number, by which the server knows one that
 * comes again: it is answered as before.
 *
 * @typeParam C a call, for a lane of which no answer may be lost
 */
export class Lane<C = never> {
  readonly name = randomUUID()
  /** The newest one, if its answer has not come: then nothing behind it has been asked for. */
  unanswered: C | undefined
  #number = 0
  #last: Promise<unknown> = Promise.resolve()

  /** Begins when the calls before it have ended. */
  next<T>(call: (number: number) => Promise<T>): Promise<T> {
    const number = ++this.#number
    const ended = this.#last.then(() => call(number))
    this.#last = ended.catch(() => {})
    return ended
  }
}
