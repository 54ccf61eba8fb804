import type { Asking, Exchange, TestTransport, Told } from './exchange.ts'
import { type PollAnswer, poll } from './page.ts'

/** One poll: it is told one thing, and is over. */
class PollingExchange implements Exchange {
  readonly #leaving = new AbortController()
  readonly #answer: Promise<Told>
  #isOver = false

  constructor(url: string, privateToken: string, { cursor, headers, waitSeconds }: Asking) {
    const answer = poll(url, privateToken, {
      cursor,
      headers: { ...(waitSeconds !== undefined && { Prefer: `wait=${waitSeconds}` }), ...headers },
      signal: this.#leaving.signal,
    })
    this.#answer = answer.then(toldBy)
    // Who drops it may never have asked for its answer.
    this.#answer.catch(() => undefined)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  begun(): Promise<Told> {
    return this.next()
  }

  async next(): Promise<Told> {
    try {
      return await this.#answer
    } finally {
      this.#isOver = true
    }
  }

  async drop(): Promise<undefined> {
    if (this.#isOver) return
    this.#leaving.abort()
    await this.next().catch(() => undefined)
  }
}

function toldBy(answer: PollAnswer): Told {
  const { headers } = answer
  const isSentAway = headers.get('connection') === 'close' && Number(headers.get('retry-after')) > 0
  return { ...answer, body: JSON.stringify(answer.messages), isSentAway }
}

export const LONG_POLLING: TestTransport = {
  name: 'long polling',
  accept: 'application/json',
  open: (url, privateToken, asking = {}) => new PollingExchange(url, privateToken, asking),
  visit: (url, privateToken, asking = {}) =>
    new PollingExchange(url, privateToken, { ...asking, waitSeconds: 0 }),
}
