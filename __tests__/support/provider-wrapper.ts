import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  Entry,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderListener,
  ProviderSupports,
  RemovedClient,
  RetainedLog,
  Retention,
} from '../../lib/comet-state-provider.ts'

/** Passes everything on to another provider. A subclass overrides what it wants otherwise. */
export class ProviderWrapper implements ICometStateProvider {
  readonly supports: ProviderSupports
  protected readonly inner: ICometStateProvider
  protected listener: ProviderListener | undefined
  /** The highest id that the inner provider has told of. */
  protected head = 0

  constructor(inner: ICometStateProvider) {
    this.inner = inner
    this.supports = inner.supports
  }

  /** What to tell the listener when the inner provider feeds these. */
  protected feed(entries: readonly Entry[]): void {
    this.listener?.entries(entries)
  }

  protected begin(log: RetainedLog): void {
    this.listener?.reset(log)
  }

  open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    this.listener = listener
    const between: ProviderListener = {
      reset: (log) => {
        this.head = log.head
        this.begin(log)
      },
      entries: (entries) => {
        this.head = entries.at(-1)!.id
        this.feed(entries)
      },
      unavailable: (error) => listener.unavailable(error),
      available: () => listener.available(),
    }
    return this.inner.open(name, between, retention)
  }

  catchUp(): Promise<void> {
    return this.inner.catchUp()
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.inner.append(operations)
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.inner.getClient(privateTokenHash)
  }

  getClients(topics?: readonly string[]): AsyncIterable<CometClient> {
    return this.inner.getClients(topics)
  }

  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.inner.renewLeases(renewals)
  }

  removeExpired(): Promise<RemovedClient[]> {
    return this.inner.removeExpired()
  }

  claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.inner.claim(claims)
  }

  settle(replies: readonly ClaimReply[]): Promise<void> {
    return this.inner.settle(replies)
  }
}
