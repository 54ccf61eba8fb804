import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  Done,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderListener,
  ProviderSupports,
  RemovedClient,
  Retention,
  SendOperation,
} from '../../lib/comet-state-provider.ts'
import { OpenChannel } from './open-channel.ts'
import {
  type CompleteOptions,
  checkFileName,
  completeOptions,
  type SqliteCometStateProviderOptions,
} from './options.ts'
import { explained } from './store-errors.ts'

/** What one commit takes, so that it does not hold up the event loop. */
const MAX_BATCH_BYTES = 1024 * 1024

/**
 * Keeps channels in an SQLite file, by better-sqlite3: all of a channel survives restarts and crashes, several
 * processes of one machine may share the file, and so may the app's own tables, whose transactions can send messages.
 *
 * Opens a connection of its own and closes that. It never blocks the event loop on another's lock.
 */
export class SqliteCometStateProvider implements ICometStateProvider {
  readonly supports: ProviderSupports
  readonly #fileName: string
  readonly #options: CompleteOptions
  #opening: Promise<OpenChannel> | undefined
  #channel: OpenChannel | undefined
  #closing: Promise<void> = Promise.resolve()

  /**
   * @param fileName the path of the file; created with mode 0600 if it does not exist, its folder must
   * @throws TypeError for a name that is no file's, and an option that is unknown or has a value that cannot be
   */
  constructor(fileName: string, options: SqliteCometStateProviderOptions = {}) {
    checkFileName(fileName)
    this.#fileName = fileName
    this.#options = completeOptions(options)
    const { processes, durability, followMs } = this.#options
    this.supports = {
      processes,
      durable: durability === 'full',
      followDelayMs: followMs,
      maxBatchBytes: MAX_BATCH_BYTES,
      transactions: true,
    }
  }

  async open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    if (this.#opening) throw new TypeError('This provider is open already: close() has to come before.')
    const closed = this.#closing.catch(() => {})
    const opening = closed.then(() =>
      OpenChannel.open(this.#fileName, name, listener, retention, this.#options),
    )
    this.#opening = opening
    try {
      const channel = await opening
      if (this.#opening === opening) this.#channel = channel
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined
      throw this.#explained(error)
    }
  }

  catchUp(): Promise<void> {
    return this.#ask((channel) => channel.catchUp())
  }

  close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#channel = undefined
    if (opening) {
      this.#closing = opening.then(
        (channel) => channel.close(),
        () => {},
      )
    }
    return this.#closing
  }

  append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.#ask(({ stored }) => stored.append(operations))
  }

  sendWithin(transaction: unknown, operation: SendOperation): Promise<Done> {
    return this.#opened().sendWithin(transaction, operation)
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.#ask(({ stored }) => stored.getClient(privateTokenHash))
  }

  async *getClients(topics?: readonly string[]): AsyncGenerator<CometClient> {
    try {
      yield* this.#opened().stored.getClients(topics)
    } catch (error) {
      throw this.#explained(error)
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
      if (channel === this.#channel) throw this.#explained(error)
      throw new Error('The provider was closed before this was done.', { cause: error })
    }
  }

  #opened(): OpenChannel {
    if (this.#channel === undefined) throw new TypeError('open() has to come before all else.')
    this.#channel.check()
    return this.#channel
  }

  #explained(error: unknown): unknown {
    return explained(error, this.#fileName, this.#options.lockTimeoutSeconds)
  }
}
