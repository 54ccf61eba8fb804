import type { ICometStateProvider, ProviderListener, Retention } from './comet-state-provider.ts'
import { withDeadline } from './deadline.ts'
import { ProviderFeed } from './provider-feed.ts'

/** Providers that serve an open channel: to a second one they would feed what is not its. */
const inUse = new WeakSet<ICometStateProvider>()

/** Opens a provider for one channel, and closes it. */
export class ProviderLink {
  readonly #provider: ICometStateProvider
  readonly #timeoutSeconds: number
  #feed: ProviderFeed | undefined

  constructor(provider: ICometStateProvider, timeoutSeconds: number) {
    this.#provider = provider
    this.#timeoutSeconds = timeoutSeconds
  }

  /** An opening that failed leaves nothing behind, and may be tried again. */
  async open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    if (inUse.has(this.#provider)) {
      throw new TypeError(
        `The state provider of the channel '${name}' serves another channel: give each its own.`,
      )
    }
    inUse.add(this.#provider)
    const feed = new ProviderFeed(listener)
    this.#feed = feed
    try {
      await withDeadline(this.#timeoutSeconds, 'open', () => this.#provider.open(name, feed, retention))
    } catch (error) {
      await this.close().catch(() => {})
      throw error
    }
  }

  /** From now on nothing is fed any more. */
  async close(): Promise<void> {
    this.#feed?.cutOff()
    try {
      await withDeadline(this.#timeoutSeconds, 'close', () => this.#provider.close())
    } finally {
      inUse.delete(this.#provider)
    }
  }
}
