import type { WireMessage } from '../../lib/wire.ts'
import { type PollAnswer, poll } from './page.ts'

/** What a page needs to know of its client. */
export interface PageClient {
  readonly privateToken: string
  readonly start: { readonly epoch: string; readonly messageId: number }
}

/** A page without the browser client: polls when told, keeps its cursor, and writes down what comes. */
export class RawPage {
  /** The app’s messages, as they came. */
  readonly received: WireMessage[] = []
  /** The contents of each `aspNetComet.reset`. */
  readonly resets: unknown[] = []
  readonly statuses: number[] = []
  cursor: string
  readonly privateToken: string
  readonly #pageId: string
  #wasAnswered = false

  constructor({ privateToken, start }: PageClient, pageId = 'page') {
    this.privateToken = privateToken
    this.#pageId = pageId
    this.cursor = `${start.epoch}:${start.messageId}`
  }

  get contents(): unknown[] {
    return this.received.map(({ c }) => c)
  }

  /** One poll. An answer that fails with 503 leaves all as it is. */
  async poll(
    url: string,
    { waitSeconds, signal }: { waitSeconds?: number; signal?: AbortSignal } = {},
  ): Promise<PollAnswer> {
    const page = this.#wasAnswered ? this.#pageId : `${this.#pageId};new`
    const headers = {
      'Comet-Page': page,
      ...(waitSeconds !== undefined && { Prefer: `wait=${waitSeconds}` }),
    }
    const answer = await poll(url, this.privateToken, {
      cursor: this.cursor,
      headers,
      ...(signal && { signal }),
    })
    this.take(answer)
    return answer
  }

  /** One poll that is not held. */
  glance(url: string): Promise<PollAnswer> {
    return this.poll(url, { waitSeconds: 0 })
  }

  take({ status, cursor, messages }: PollAnswer): void {
    this.statuses.push(status)
    if (status !== 200) return
    this.#wasAnswered = true
    this.cursor = cursor!
    for (const message of messages) {
      if (message.n === 'aspNetComet.reset') this.resets.push(message.c)
      if (!message.n.startsWith('aspNetComet.')) this.received.push(message)
    }
  }
}

export function countTo(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}
