import { CometChannel } from 'koa-comet/client'
import { MESSAGE_NAME, type Stored } from './numbered.ts'
import type { Problem } from './problems.ts'
import { checkReceived } from './received.ts'

/** A page that registers itself, and notes what its handlers are given. */
export class CampaignPage {
  /** How many failed; the channel goes on by itself. */
  failures = 0
  readonly #channel: CometChannel
  readonly #received: Stored[] = []
  readonly #problems: Problem[] = []

  constructor(origin: string) {
    this.#channel = new CometChannel(`${origin}/comet`, null, 'page', {
      storage: null,
    })
    this.#channel.on(MESSAGE_NAME, (contents, { mid }) => this.#received.push([Number(contents), mid]))
    this.#channel.addEventListener('reset', ({ detail }) => {
      this.#problems.push({ kind: 'reset', text: JSON.stringify(detail) })
    })
    this.#channel.addEventListener('error', ({ detail }) => {
      this.failures += 1
      if (!detail.willRetry) this.#problems.push({ kind: 'failed', text: String(detail) })
    })
    this.#channel.subscribe()
  }

  get isRegistered(): boolean {
    return this.#channel.privateToken !== undefined
  }

  /** The number of the last message. */
  get last(): number {
    return this.#received.at(-1)?.[0] ?? 0
  }

  check(acknowledged: readonly number[]): Problem[] {
    return [...this.#problems, ...checkReceived(this.#received, acknowledged)]
  }

  close(): void {
    this.#channel.unsubscribe()
  }
}
