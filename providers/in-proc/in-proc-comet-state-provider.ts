import cluster from 'node:cluster'
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
import { InProcStorage } from './in-proc-storage.ts'
import type { StoredChannel } from './stored-channel.ts'

export interface InProcCometStateProviderOptions {
  /** What it keeps, when several providers of one process are to share it. Default: a store of its own. */
  readonly storage?: InProcStorage
}

/**
 * Keeps a channel in the memory of this process: no dependency, nothing to set up, and all of it is lost with the
 * process. Pages are then told `reset` and go on. One process only: it warns when it runs in a cluster worker.
 */
export class InProcCometStateProvider implements ICometStateProvider {
  readonly supports: ProviderSupports = { processes: 'one', durable: false, followDelayMs: 0 }
  readonly #storage: InProcStorage
  #opened: StoredChannel | undefined
  #unfollow: (() => void) | undefined

  constructor(options: InProcCometStateProviderOptions = {}) {
    this.#storage = options.storage ?? new InProcStorage()
  }

  async open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    if (cluster.isWorker) {
      process.emitWarning(
        `The channel '${name}' keeps its state in the memory of one cluster worker: clients of other workers are ` +
          'unknown to it. Use a provider that processes can share, or run one process.',
        { code: 'COMET_IN_PROC_IN_CLUSTER' },
      )
    }
    const channel = this.#storage.channel(name)
    this.#opened = channel
    channel.retain(retention)
    listener.reset(channel.retainedLog())
    this.#unfollow = channel.follow((entries) => listener.entries(entries))
  }

  async catchUp(): Promise<void> {
    // Followers are fed within append: there is never anything to catch up with.
  }

  async close(): Promise<void> {
    this.#unfollow?.()
    this.#unfollow = undefined
  }

  async append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.#channel.append(operations)
  }

  async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.#channel.findClient(privateTokenHash)
  }

  async *getClients(topics?: readonly string[]): AsyncGenerator<CometClient> {
    yield* this.#channel.clients(topics)
  }

  async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.#channel.renewLeases(renewals)
  }

  async removeExpired(): Promise<RemovedClient[]> {
    return this.#channel.removeExpired()
  }

  async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.#channel.claim(claims)
  }

  async settle(replies: readonly ClaimReply[]): Promise<void> {
    this.#channel.settle(replies)
  }

  get #channel(): StoredChannel {
    if (this.#opened === undefined) throw new TypeError('open() has to come before all else.')
    return this.#opened
  }
}
