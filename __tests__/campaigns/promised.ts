import type { Stored } from './numbered.ts'
import type { Problem, ProblemKind } from './problems.ts'

/** What a provider tells of its log when it opens it. */
export interface FoundLog {
  readonly epoch: string
  /** What is retained, in the order it was told. */
  readonly messages: readonly Stored[]
}

/**
 * What pages and publishers know of a log whose messages are numbered from 1 on, in the order of their sending. Whatever
 * was acknowledged, or fed, from then on is to be found with the same id as long as it is retained.
 */
export class Promised {
  readonly #retained: number
  readonly #ids = new Map<number, number>()
  readonly #numbers = new Map<number, number>()
  #epoch: string | undefined
  #lastNumber = 0
  #lastId = 0

  /** @param retained how many messages the log retains */
  constructor(retained: number) {
    this.#retained = retained
  }

  get epoch(): string | undefined {
    return this.#epoch
  }

  /** The highest number of a message that is known. */
  get lastNumber(): number {
    return this.#lastNumber
  }

  /** The highest id that anybody has seen. */
  get lastId(): number {
    return this.#lastId
  }

  /** Pages were told this epoch, and that no message up to this id is to come. */
  opened(epoch: string, head: number): void {
    this.#epoch = epoch
    this.#lastId = Math.max(this.#lastId, head)
  }

  /** Somebody was told that the message has this id. Returns what is wrong with that. */
  note([number, id]: Stored): Problem[] {
    const known = this.#ids.get(number)
    if (known === id) return []
    if (known !== undefined) return [problem('twice', `${number} is ${id} and ${known}`)]
    const earlier = this.#numbers.get(id)
    if (earlier !== undefined) return [problem('reused', `id ${id} is of ${number} and of ${earlier}`)]
    const problems: Problem[] = []
    const isNext = number === this.#lastNumber + 1 && id > this.#lastId
    if (!isNext) {
      const after = `${this.#lastNumber} (id ${this.#lastId})`
      problems.push(problem('out of order', `${number} (id ${id}) came after ${after}`))
    }
    this.#ids.set(number, id)
    this.#numbers.set(id, number)
    this.#lastNumber = Math.max(this.#lastNumber, number)
    this.#lastId = Math.max(this.#lastId, id)
    this.#forgetOldest()
    return problems
  }

  /** Returns what is wrong with a log that was found later. Changes nothing. */
  check({ epoch, messages }: FoundLog): Problem[] {
    const problems: Problem[] = []
    if (this.#epoch !== undefined && epoch !== this.#epoch) {
      problems.push(problem('reset', `the epoch is ${epoch}, and was ${this.#epoch}`))
    }
    const found = new Map<number, number>()
    let [lastNumber, lastId] = [0, 0]
    for (const [number, id] of messages) {
      if (Number.isNaN(number)) problems.push(problem('damaged', `the contents of ${id}`))
      if (found.has(number)) problems.push(problem('twice', `${number} is ${found.get(number)} and ${id}`))
      else if (number < lastNumber || id <= lastId) {
        problems.push(problem('out of order', `${number} (id ${id}) is after ${lastNumber} (id ${lastId})`))
      }
      found.set(number, id)
      problems.push(...this.#compare(number, id))
      lastNumber = Math.max(lastNumber, number)
      lastId = Math.max(lastId, id)
    }
    return [...problems, ...this.#missing(found, Math.max(lastNumber, this.#lastNumber))]
  }

  #compare(number: number, id: number): Problem[] {
    const known = this.#ids.get(number)
    const other = this.#numbers.get(id)
    if (other !== undefined && other !== number) {
      return [problem('reused', `id ${id} is of ${number}, and was of ${other}`)]
    }
    if (known !== undefined && known !== id) return [problem('twice', `${number} is ${id}, and was ${known}`)]
    return []
  }

  /** Numbers are sent one after the other: none of the newest may be missing below the last. */
  #missing(found: ReadonlyMap<number, number>, last: number): Problem[] {
    const problems: Problem[] = []
    for (let number = Math.max(1, last - this.#retained + 1); number <= last; number += 1) {
      if (!found.has(number)) problems.push(problem('lost', `${number} (id ${this.#ids.get(number)})`))
    }
    return problems
  }

  #forgetOldest(): void {
    if (this.#ids.size <= 2 * this.#retained) return
    const [number, id] = this.#ids.entries().next().value!
    this.#ids.delete(number)
    this.#numbers.delete(id)
  }
}

function problem(kind: ProblemKind, text: string): Problem {
  return { kind, text }
}
