import type { Context, Next } from 'koa'
import type { CometStateManager } from 'koa-comet'
import type { Entry, ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import type { Sabotage } from './cluster-orders.ts'

/** One of so many is hit: a run has more. */
const MESSAGES = 10
const SENDS = 5
const SUBSCRIPTIONS = 10

/** The mistakes of a node, where they are made. */
export class Saboteur {
  readonly #sabotage: Sabotage | undefined
  #calls = 0

  constructor(sabotage: Sabotage | undefined) {
    this.#sabotage = sabotage
  }

  provider(provider: ICometStateProvider): ICometStateProvider {
    return this.#sabotage === 'forgets messages'
      ? new ForgetfulFeed(provider, () => this.#isHit(MESSAGES))
      : provider
  }

  /** How often a handler does its work. */
  times(): number {
    return this.#sabotage === 'handles twice' && this.#isHit(SENDS) ? 2 : 1
  }

  /** Comes before the channel. */
  async meddle(ctx: Context, next: Next, channel: CometStateManager): Promise<void> {
    const isSubscription = ctx.method === 'GET' && ctx.get('Last-Event-ID') !== ''
    if (isSubscription && this.#sabotage === 'resets' && this.#isHit(SUBSCRIPTIONS))
      ctx.req.headers['last-event-id'] = 'another-life:1'
    // One is enough: the page has much to do until it is there again.
    if (isSubscription && this.#sabotage === 'calls pages lost' && this.#isHit(SUBSCRIPTIONS, 1))
      await channel.killIdleCometClient(ctx.get('Authorization').replace(/^Bearer /, '')).catch(() => {})
    await next()
  }

  #isHit(oneIn: number, atMost = Number.POSITIVE_INFINITY): boolean {
    this.#calls += 1
    return this.#calls % oneIn === 0 && this.#calls / oneIn <= atMost
  }
}

/** Keeps some messages to itself. */
class ForgetfulFeed extends ProviderWrapper {
  readonly #isForgotten: () => boolean

  constructor(provider: ICometStateProvider, isForgotten: () => boolean) {
    super(provider)
    this.#isForgotten = isForgotten
  }

  protected override feed(entries: readonly Entry[]): void {
    super.feed(entries.filter(({ kind }) => kind !== 'message' || !this.#isForgotten()))
  }
}
