import { CometChannel } from 'koa-comet/client'
import { GAPS_ARE_OVER } from './gap-publisher.ts'

/** A message as a handler of the page was given it. */
export interface Delivered {
  readonly id: number
  /** The number of the poll whose answer brought it. */
  readonly poll: number
}

/** A page that registers itself and notes what comes, until the server says that it was all. */
export class GapReceiver {
  readonly #delivered: Delivered[] = []
  readonly #channel: CometChannel
  readonly #over: Promise<void>
  #answers = 0

  constructor(port: number) {
    this.#channel = new CometChannel(`http://127.0.0.1:${port}/comet`, null, 'gaps', {
      // A stream leaves no gap.
      transports: ['long-polling'],
      fetch: async (input, init) => {
        const answer = await fetch(input, init)
        this.#answers += 1
        return answer
      },
    })
    this.#channel.on('Gap', (_contents, { mid }) => this.#delivered.push({ id: mid, poll: this.#answers }))
    this.#over = new Promise((resolve) => this.#channel.on(GAPS_ARE_OVER, () => resolve()))
    this.#channel.subscribe()
  }

  /** Resolves with all of it, in the order in which it came. */
  async delivered(): Promise<Delivered[]> {
    await this.#over
    this.#channel.unsubscribe()
    return this.#delivered
  }
}
