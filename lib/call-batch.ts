import { tooFewOutcomes } from './serial-calls.ts'

/** The most that one call is given. */
const MAX_BATCH = 1000

interface Asked<Q, A> {
  readonly question: Q
  resolve(answer: A): void
  reject(error: unknown): void
}

/** Gathers what is asked of the provider in one turn of the event loop into one call. */
export class CallBatch<Q, A> {
  readonly #call: (questions: readonly Q[]) => Promise<readonly A[]>
  #asked: Asked<Q, A>[] = []
  #draining: Promise<void> | undefined

  /** @param call gives one answer for each question, in order */
  constructor(call: (questions: readonly Q[]) => Promise<readonly A[]>) {
    this.#call = call
  }

  add(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ question, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves when nothing is asked or under way any more. */
  async drained(): Promise<void> {
    await this.#draining
  }

  /** One call at a time: answers that overtake each other would leave a node wrong about who has a lease. */
  async #drain(): Promise<void> {
    while (this.#asked.length > 0) {
      await new Promise(setImmediate)
      await this.#send(this.#asked.splice(0, MAX_BATCH))
    }
    this.#draining = undefined
  }

  async #send(asked: readonly Asked<Q, A>[]): Promise<void> {
    try {
      const answers = await this.#call(asked.map(({ question }) => question))
      if (asked.some((_, index) => answers[index] === undefined)) throw tooFewOutcomes()
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index]!)
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}
