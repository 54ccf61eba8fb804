import type { ChannelEmitter } from './channel-events.ts'
import type { ICometStateProvider } from './comet-state-provider.ts'
import { withDeadline } from './deadline.ts'

/** Removes the clients that were idle for too long, and tells of them. One sweep at a time. */
export class IdleSweep {
  readonly #provider: ICometStateProvider
  readonly #timeoutSeconds: number
  readonly #events: ChannelEmitter
  #sweeping: Promise<void> | undefined
  /** Why the last one failed. */
  #failure: string | undefined

  constructor(provider: ICometStateProvider, timeoutSeconds: number, events: ChannelEmitter) {
    this.#provider = provider
    this.#timeoutSeconds = timeoutSeconds
    this.#events = events
  }

  /** Does nothing while one is under way. */
  start(): void {
    this.#sweeping ??= this.#sweep()
  }

  /** Resolves when none is under way any more. */
  async ended(): Promise<void> {
    await this.#sweeping
  }

  async #sweep(): Promise<void> {
    try {
      await withDeadline(this.#timeoutSeconds, 'removeExpired', () => this.#removeExpired())
      this.#failure = undefined
    } catch (error) {
      this.#tell(error)
    } finally {
      this.#sweeping = undefined
    }
  }

  /** While a store is away sweeps fail one after another, and once is enough to be told so. */
  #tell(error: unknown): void {
    const failure = String(error)
    if (failure !== this.#failure) this.#events.emit('error', error)
    this.#failure = failure
  }

  /** However late it ends: who was removed is told of once, and never again. */
  async #removeExpired(): Promise<void> {
    const removed = await this.#provider.removeExpired()
    for (const { client, reason } of removed) this.#events.emitRemoval(client, reason)
  }
}
