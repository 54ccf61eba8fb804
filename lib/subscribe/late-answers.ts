import type { Answer } from '../answer.ts'
import type { SubscribeContext } from './bare-context.ts'
import { HeldResponse, type ResponseOwner } from './held-response.ts'

/** Requests that are answered a while later, past Koa: who would ask again at once has to be slowed down. */
export class LateAnswers {
  readonly #max: number
  readonly #waiting = new Set<LateAnswer>()

  /** @param max how many may wait; what is over that is answered at once */
  constructor(max: number) {
    this.#max = max
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  add(ctx: SubscribeContext, answer: Answer, delayMs: number): void {
    const late = new LateAnswer(ctx, answer, () => this.#waiting.delete(late))
    this.#waiting.add(late)
    if (this.#waiting.size > this.#max) late.send()
    else late.sendAfter(delayMs)
  }

  /** Answers all that wait: the channel closes. */
  close(): void {
    for (const late of this.#waiting) late.send({ Connection: 'close' })
  }
}

class LateAnswer implements ResponseOwner {
  readonly #response: HeldResponse
  readonly #answer: Answer
  readonly #ended: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(ctx: SubscribeContext, answer: Answer, ended: () => void) {
    this.#response = new HeldResponse(ctx, this)
    this.#answer = answer
    this.#ended = ended
  }

  sendAfter(delayMs: number): void {
    this.#timer = setTimeout(() => this.send(), delayMs).unref()
  }

  send(more: Readonly<Record<string, string>> = {}): void {
    this.#end()
    this.#response.send({ ...this.#answer, headers: { ...this.#answer.headers, ...more } })
  }

  released(): void {}

  drained(): void {}

  closed(): void {
    this.#end()
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#ended()
  }
}
