import { CometException } from '../comet-exception.ts'
import type { Entry, ICometStateProvider, StopEntry } from '../comet-state-provider.ts'
import { withDeadline } from '../deadline.ts'
import type { MessageLog } from '../message-log.ts'
import { clientOfTopic } from '../topics.ts'
import { ClientLease, stoppedClient, unknownToken } from './client-lease.ts'
import { KnownLeases } from './known-leases.ts'
import { leaseNow, NEVER } from './lease-clock.ts'
import { LeaseRenewals } from './lease-renewals.ts'
import type { Page } from './page.ts'

/** How long a renewal in the background that failed waits before it is tried again. */
const RETRY_AFTER_SECONDS = 5

/** Who has not been here for so long is at no topic: a send is to visit those who wait, not all who may come again. */
const RESTS_AFTER_SECONDS = 10

/** How often a record may be outrun by the window before its client is told to come again. */
const MAX_LOADS = 5

/** What leases need of the node that they are on. */
export interface LeasesHost {
  readonly provider: ICometStateProvider
  readonly log: MessageLog
  readonly timeoutSeconds: number
  /** Resolves when this node has applied what the store held at the time of the call. */
  catchUp(): Promise<void>
  /** A lease ended or went to another page: its held request has to be told. */
  ended(lease: ClientLease): void
  takenElsewhere(lease: ClientLease): void
  failed(error: unknown): void
}

/** The clients that come to this node: loaded once each, fed every entry, renewed in batches. */
export class Leases {
  readonly #host: LeasesHost
  readonly #renewals: LeaseRenewals
  readonly #known = new KnownLeases()
  readonly #loading = new Map<string, Promise<ClientLease>>()
  /** Those of before the log began anew that have not come again yet. They tell when their clients were seen. */
  readonly #former = new Map<string, ClientLease>()
  /** The failure in the background that was told of last. */
  #reported: unknown

  constructor(host: LeasesHost) {
    this.#host = host
    this.#renewals = new LeaseRenewals(host.provider, host.timeoutSeconds)
  }

  /** How many clients this node knows. */
  get size(): number {
    return this.#known.size
  }

  /** The lease of the client with this private token, if this node has loaded it. */
  known(privateTokenHash: string): ClientLease | undefined {
    const known = this.#known.byHash(privateTokenHash)
    if (known) known.foundAt = leaseNow()
    return known
  }

  /**
   * The lease of the client with this private token.
   * Rejects with `COMET_TOKEN_IS_UNKNOWN`, `COMET_CLIENT_IS_STOPPED` or `COMET_PROVIDER_IS_UNAVAILABLE`.
   */
  async find(privateTokenHash: string): Promise<ClientLease> {
    const known = this.known(privateTokenHash)
    if (known) return known
    let loading = this.#loading.get(privateTokenHash)
    if (loading === undefined) {
      loading = this.#load(privateTokenHash).finally(() => this.#loading.delete(privateTokenHash))
      this.#loading.set(privateTokenHash, loading)
    }
    return loading
  }

  /**
   * Finds out whether the lease is this page's: then it is its holder. There is nothing to wait for if this node knows
   * that it is. Rejects if the store does not answer.
   */
  confirm(lease: ClientLease, page: Page): Promise<void> | undefined {
    const now = leaseNow()
    const hasSlack = now - lease.renewedAt < lease.client.connectionIdleSeconds * 1000
    if (lease.holder !== page.id || !hasSlack || lease.hasLeft) return this.#renew(lease, page)
    lease.seenAt = now
    return undefined
  }

  /**
   * A client did something else than to subscribe. That is a sign of life too, unless its page has said goodbye, or none
   * has subscribed yet: then there is no lease to renew.
   */
  touch(lease: ClientLease): void {
    if (lease.holder === undefined) return
    const now = leaseNow()
    lease.seenAt = now
    const isUnrenewed = lease.renewedAt === NEVER && !lease.hasLeft && now >= lease.retryAt
    if (isUnrenewed || lease.isDue(now)) void this.#renewInBackground(lease)
  }

  /** A page leaves: its client is removed soon, unless another page has it or comes back for it. */
  async goodbye(lease: ClientLease, pageId: string): Promise<void> {
    lease.leave(pageId)
    await this.#renewals.goodbye(lease, pageId)
  }

  wake(topic: string, through: number): void {
    this.#known.forEachAt(topic, (lease) => lease.wake(through))
  }

  rouse(lease: ClientLease): void {
    this.#known.rouse(lease)
  }

  /** Feeds an entry of the log to those whom it is about. */
  apply(entry: Entry): void {
    switch (entry.kind) {
      case 'update':
      case 'join':
      case 'leave':
        return this.#feed(entry.client.publicToken, entry)
      case 'remove':
        return this.#feed(entry.publicToken, entry)
      case 'stop':
        return this.#feedAudience(entry)
    }
  }

  /** Another life of the log has begun: every record has to be loaded anew. */
  clear(): void {
    for (const lease of this.#known) {
      lease.isStale = true
      this.#former.set(lease.privateTokenHash, lease)
    }
    this.#known.clear()
  }

  /** Renews what is due and forgets who has not been here for the length of a lease. Called once a second. */
  tick(): void {
    const now = leaseNow()
    // While the store is slow to answer nothing more is asked of it: what is due stays so.
    const { isAsking } = this.#renewals
    for (const lease of this.#known) {
      if (lease.held) lease.seenAt = now
      if (lease.isGone(now, RESTS_AFTER_SECONDS)) this.#known.rest(lease)
      if (!lease.isDue(now)) {
        if (lease.isGone(now)) this.#forget(lease)
      } else if (!isAsking) void this.#renewInBackground(lease)
    }
    for (const [hash, lease] of this.#former) if (lease.isGone(now)) this.#former.delete(hash)
  }

  /** Resolves when no renewal is under way any more. */
  drained(): Promise<void> {
    return this.#renewals.drained()
  }

  async #load(privateTokenHash: string): Promise<ClientLease> {
    const { provider, log, timeoutSeconds } = this.#host
    for (let loads = 0; loads < MAX_LOADS; loads++) {
      const record = await withDeadline(timeoutSeconds, 'getClient', () =>
        provider.getClient(privateTokenHash),
      )
      if (record === undefined) throw unknownToken()
      if (record === 'stopped') throw stoppedClient()
      if (record.asOf > log.head) await this.#host.catchUp()
      if (record.asOf < log.trimmedThrough) continue
      const lease = new ClientLease(record, privateTokenHash, log.epoch)
      for (const entry of log.entriesAfter(record.asOf)) lease.apply(entry, log.trimmedThrough)
      if (lease.ending) throw lease.ending
      this.#remember(lease)
      return lease
    }
    const text = 'The log moves faster than this client can be loaded. Try again later.'
    throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
  }

  async #renew(lease: ClientLease, page: Page): Promise<void> {
    const outcome = await this.#renewals.forRequest(lease, page)
    if (outcome === 'elsewhere') return
    if (outcome === 'gone') return this.#gone(lease)
    lease.seenAt = leaseNow()
  }

  async #renewInBackground(lease: ClientLease): Promise<void> {
    // Not due again while this is under way.
    const { renewedAt } = lease
    lease.renewedAt = lease.seenAt
    try {
      const outcome = await this.#renewals.inBackground(lease)
      // While this was under way, another page may have come to this node and taken the lease.
      if (outcome === 'elsewhere' && lease.holder === undefined) this.#host.takenElsewhere(lease)
      if (outcome === 'gone') await this.#gone(lease)
    } catch (error) {
      lease.renewedAt = renewedAt
      lease.retryAt = leaseNow() + RETRY_AFTER_SECONDS * 1000
      this.#report(error)
    }
  }

  /** All that were asked for in one call fail with one error: it is told of once. */
  #report(error: unknown): void {
    if (error === this.#reported) return
    this.#reported = error
    this.#host.failed(error)
  }

  /** The store has no such client any more. The log says why, if it still can. */
  async #gone(lease: ClientLease): Promise<void> {
    await this.#host.catchUp()
    if (lease.ending !== undefined) return
    lease.finish(unknownToken())
    this.#end(lease)
  }

  #feedAudience(stop: StopEntry): void {
    if (stop.topics.every((topic) => clientOfTopic(topic) !== undefined)) {
      for (const topic of stop.topics) this.#feed(clientOfTopic(topic), stop)
    } else {
      // Each of the clients here may be of it.
      for (const { publicToken } of [...this.#known]) this.#feed(publicToken, stop)
    }
  }

  #feed(publicToken: string | undefined, entry: Entry): void {
    const lease = publicToken === undefined ? undefined : this.#known.byPublicToken(publicToken)
    if (lease === undefined) return
    const { groups } = lease.client
    lease.apply(entry, this.#host.log.trimmedThrough)
    this.#known.regroup(lease, groups)
    if (lease.ending) this.#end(lease)
  }

  #end(lease: ClientLease): void {
    this.#forget(lease)
    this.#host.ended(lease)
  }

  #remember(lease: ClientLease): void {
    lease.seenAt = this.#former.get(lease.privateTokenHash)?.seenAt ?? lease.seenAt
    this.#former.delete(lease.privateTokenHash)
    this.#known.add(lease)
  }

  #forget(lease: ClientLease): void {
    lease.isStale = true
    this.#known.delete(lease)
  }
}
