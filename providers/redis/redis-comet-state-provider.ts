import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderListener,
  ProviderSupports,
  RemovedClient,
  Retention,
} from '../../lib/comet-state-provider.ts'
import type { RedisClientSource } from './connection.ts'
import { OpenChannel } from './open-channel.ts'
import {
  type CompleteOptions,
  checkSource,
  completeOptions,
  type RedisCometStateProviderOptions,
} from './options.ts'
import type { RedisServerReport } from './server-report.ts'

/** What one script takes, so that it does not hold up the server. */
const MAX_BATCH_BYTES = 1024 * 1024

/**
 * Keeps channels in Redis, by node-redis: the processes of many machines share them. Redis 7 or newer, or Valkey.
 *
 * Opens two connections of its own with the options of the app's client, and closes those. The app's client need not
 * be connected, and nothing is sent by it.
 */
export class RedisCometStateProvider implements ICometStateProvider {
  readonly supports: ProviderSupports = {
    processes: 'many',
    durable: true,
    followDelayMs: 20,
    maxBatchBytes: MAX_BATCH_BYTES,
  }
  readonly #source: RedisClientSource
  readonly #options: CompleteOptions
  #channel: OpenChannel | undefined
  #isOpen = false
  #server: RedisServerReport | undefined

  /**
   * @param source what `createClient()` of the package `redis` gives; or a function that gives such a client, and is asked
   *   for each new connection: where the primary can move, as with Sentinel
   * @throws TypeError for what is neither, and an option that is unknown or has a value that cannot be
   */
  constructor(source: RedisClientSource, options: RedisCometStateProviderOptions = {}) {
    checkSource(source)
    this.#source = source
    this.#options = completeOptions(options)
  }

  /** How the server is configured, as it said when the channel was opened. Undefined before. */
  get server(): RedisServerReport | undefined {
    return this.#server
  }

  async open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    if (this.#channel) throw new TypeError('This provider is open already: close() has to come before.')
    const channel = new OpenChannel(this.#source, name, listener, retention, this.#options)
    this.#channel = channel
    try {
      const report = await channel.start()
      if (this.#channel !== channel) throw new Error('it was closed meanwhile')
      this.#server = report
      this.#isOpen = true
    } catch (error) {
      await channel.close()
      if (this.#channel === channel) this.#channel = undefined
      // A mistake of the app's is told as it is: nothing mends it but the app.
      throw error instanceof TypeError ? error : channel.explained(error)
    }
  }

  catchUp(): Promise<void> {
    return this.#ask((channel) => channel.catchUp())
  }

  async close(): Promise<void> {
    const channel = this.#channel
    this.#channel = undefined
    this.#isOpen = false
    await channel?.close()
  }

  append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.#ask(({ stored }) => stored.append(operations))
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.#ask(({ stored }) => stored.getClient(privateTokenHash))
  }

  async *getClients(topics?: readonly string[]): AsyncGenerator<CometClient> {
    const channel = this.#opened()
    try {
      yield* channel.stored.getClients(topics)
    } catch (error) {
      throw channel.explained(error)
    }
  }

  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.#ask(({ stored }) => stored.renewLeases(renewals))
  }

  removeExpired(): Promise<RemovedClient[]> {
    return this.#ask(({ stored }) => stored.removeExpired())
  }

  claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.#ask(({ stored }) => stored.claim(claims))
  }

  settle(replies: readonly ClaimReply[]): Promise<void> {
    return this.#ask(({ stored }) => stored.settle(replies))
  }

  async #ask<T>(ask: (channel: OpenChannel) => Promise<T>): Promise<T> {
    const channel = this.#opened()
    try {
      return await ask(channel)
    } catch (error) {
      throw channel.explained(error)
    }
  }

  #opened(): OpenChannel {
    if (!this.#channel || !this.#isOpen) throw new TypeError('open() has to come before all else.')
    return this.#channel
  }
}
