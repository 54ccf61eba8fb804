import { setTimeout as pause } from 'node:timers/promises'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'

const MOST_AT_ONCE = 5
const LONGEST_PAUSE_MS = 5

/** A server that starts needs the processor more than who asks for it. */
const ASK_AGAIN_MS = 20

/** Has numbered messages sent by a server, and each again with its key until the server says that it was. */
export class HttpPublisher {
  /** The ids, in the order of the numbers, from 1 on. */
  readonly acknowledged: number[] = []
  /** How many requests got no answer. */
  cut = 0
  /** How many messages had been stored by a server that was killed before it could say so. */
  storedUnacknowledged = 0
  /** The head of the log when the server was started that answers now. */
  headAtStart = 0
  readonly #origin: string
  readonly #random: SeededRandom
  #isStopped = false
  #isAbandoned = false

  constructor(origin: string, random: SeededRandom) {
    this.#origin = origin
    this.#random = random
  }

  /** Ends when the request under way was answered. */
  stop(): void {
    this.#isStopped = true
  }

  /** Ends, answered or not. */
  abandon(): void {
    this.#isStopped = true
    this.#isAbandoned = true
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      const next = this.acknowledged.length + 1
      const numbers = Array.from({ length: 1 + this.#random.below(MOST_AT_ONCE) }, (_, index) => next + index)
      const ids = await this.#publish(numbers)
      this.acknowledged.push(...ids)
      await pause(this.#random.below(LONGEST_PAUSE_MS))
    }
  }

  async #publish(numbers: readonly number[]): Promise<number[]> {
    for (let isRepetition = false; !this.#isAbandoned; isRepetition = true) {
      try {
        const response = await fetch(`${this.#origin}/publish?numbers=${numbers}`)
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
        const ids = (await response.json()) as number[]
        const before = ids.filter((id) => isRepetition && id <= this.headAtStart)
        this.storedUnacknowledged += before.length
        return ids
      } catch {
        this.cut += 1
        await pause(ASK_AGAIN_MS)
      }
    }
    return []
  }
}
