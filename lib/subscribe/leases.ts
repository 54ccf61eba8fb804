import { CometException } from '../comet-exception.ts'
import type { Entry, ICometStateProvider, LeaseOutcome, LeaseRenewal } from '../comet-state-provider.ts'
import { withDeadline } from '../deadline.ts'
import type { MessageLog } from '../message-log.ts'
import { SerialCalls } from '../serial-calls.ts'
import { clientOfTopic } from '../topics.ts'
import { ClientLease, leaseSeconds, stoppedClient, unknownToken } from './client-lease.ts'
import { LeaseBatch } from './lease-batch.ts'
import type { Page } from './page.ts'

/** A page that said goodbye is given this long to come back as another one: a reload must not look like leaving. */
const GOODBYE_SECONDS = 5

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
  readonly #batch: LeaseBatch
  readonly #byHash = new Map<string, ClientLease>()
  readonly #byPublicToken = new Map<string, ClientLease>()
  readonly #loading = new Map<string, Promise<ClientLease>>()

  constructor(host: LeasesHost) {
    this.#host = host
    const calls = new SerialCalls(host.timeoutSeconds)
    this.#batch = new LeaseBatch((renewals) =>
      calls.ask('renewLeases', () => host.provider.renewLeases(renewals)),
    )
  }

  /** How many clients this node knows. */
  get size(): number {
    return this.#byHash.size
  }

  /**
   * The lease of the client with this private token.
   * Rejects with `COMET_TOKEN_IS_UNKNOWN`, `COMET_CLIENT_IS_STOPPED` or `COMET_PROVIDER_IS_UNAVAILABLE`.
   */
  async find(privateTokenHash: string): Promise<ClientLease> {
    const known = this.#byHash.get(privateTokenHash)
    if (known) {
      known.foundAt = performance.now()
      return known
    }
    let loading = this.#loading.get(privateTokenHash)
    if (loading === undefined) {
      loading = this.#load(privateTokenHash).finally(() => this.#loading.delete(privateTokenHash))
      this.#loading.set(privateTokenHash, loading)
    }
    return loading
  }

  /** Finds out whether the lease is this page's: then it is its holder. Rejects if the store does not answer. */
  async confirm(lease: ClientLease, page: Page): Promise<void> {
    const unrenewedMs = performance.now() - lease.renewedAt
    const hasSlack = unrenewedMs < lease.client.connectionIdleSeconds * 1000
    if (lease.holder !== page.id || !hasSlack || lease.hasLeft) {
      const outcome = await this.#renew(lease, page)
      if (outcome === 'elsewhere') return
      if (outcome === 'gone') return this.#gone(lease)
    }
    lease.seenAt = performance.now()
  }

  /** A page leaves: its client is removed soon, unless another page has it or comes back for it. */
  async goodbye(lease: ClientLease, pageId: string): Promise<void> {
    lease.leave(pageId)
    const renewal = renewalOf(lease, { id: pageId, take: false })
    await this.#batch.add({ ...renewal, seconds: GOODBYE_SECONDS, goodbye: true })
  }

  /** Feeds an entry of the log to those whom it is about. */
  apply(entry: Entry): void {
    if (entry.kind === 'remove') this.#feed(entry.publicToken, entry)
    if (entry.kind !== 'stop') return
    if (entry.topics.every((topic) => clientOfTopic(topic) !== undefined)) {
      for (const topic of entry.topics) this.#feed(clientOfTopic(topic), entry)
    } else {
      // An audience: each of the clients here may be of it.
      for (const publicToken of [...this.#byPublicToken.keys()]) this.#feed(publicToken, entry)
    }
  }

  /** Another life of the log has begun: every record has to be loaded anew. */
  clear(): void {
    for (const lease of this.#byHash.values()) lease.isStale = true
    this.#byHash.clear()
    this.#byPublicToken.clear()
  }

  /** Renews what is due and forgets who has not been here for the length of a lease. Called once a second. */
  tick(): void {
    const now = performance.now()
    for (const lease of this.#byHash.values()) {
      if (lease.held) lease.seenAt = now
      const idleMs = lease.client.connectionIdleSeconds * 1000
      const isDue = !lease.hasLeft && lease.seenAt - lease.renewedAt >= idleMs / 3
      if (isDue) void this.#renewInBackground(lease)
      else if (
        now - Math.max(lease.seenAt, lease.foundAt) >
        leaseSeconds(lease.client.connectionIdleSeconds) * 1000
      )
        this.#forget(lease)
    }
  }

  /** Resolves when no renewal is under way any more. */
  drained(): Promise<void> {
    return this.#batch.drained()
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
      for (const entry of log.entriesAfter(record.asOf)) lease.apply(entry)
      if (lease.ending) throw lease.ending
      this.#remember(lease)
      return lease
    }
    const text = 'The log moves faster than this client can be loaded. Try again later.'
    throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
  }

  async #renewInBackground(lease: ClientLease): Promise<void> {
    // Not due again while this is under way.
    const { renewedAt } = lease
    lease.renewedAt = lease.seenAt
    try {
      const outcome = await this.#renew(lease, { id: lease.holder ?? '', take: false })
      // While this was under way, another page may have come to this node and taken the lease.
      if (outcome === 'elsewhere' && lease.holder === undefined) this.#host.takenElsewhere(lease)
      if (outcome === 'gone') await this.#gone(lease)
    } catch (error) {
      lease.renewedAt = renewedAt
      this.#host.failed(error)
    }
  }

  async #renew(lease: ClientLease, page: Page): Promise<LeaseOutcome> {
    const askedAt = performance.now()
    const outcome = await this.#batch.add(renewalOf(lease, page))
    if (outcome === 'kept') {
      lease.holder = page.id
      lease.renewedAt = askedAt
    } else if (outcome === 'elsewhere' && lease.holder === page.id) {
      // Unknown who has it: the next page that comes has to ask.
      lease.holder = undefined
    }
    return outcome
  }

  /** The store has no such client any more. The log says why, if it still can. */
  async #gone(lease: ClientLease): Promise<void> {
    await this.#host.catchUp()
    if (lease.ending !== undefined) return
    lease.finish(unknownToken())
    this.#end(lease)
  }

  #feed(publicToken: string | undefined, entry: Entry): void {
    const lease = publicToken === undefined ? undefined : this.#byPublicToken.get(publicToken)
    lease?.apply(entry)
    if (lease?.ending) this.#end(lease)
  }

  #end(lease: ClientLease): void {
    this.#forget(lease)
    this.#host.ended(lease)
  }

  #remember(lease: ClientLease): void {
    this.#byHash.set(lease.privateTokenHash, lease)
    this.#byPublicToken.set(lease.publicToken, lease)
  }

  #forget(lease: ClientLease): void {
    lease.isStale = true
    this.#byHash.delete(lease.privateTokenHash)
    // A newer bearer of the public token may have taken this place.
    if (this.#byPublicToken.get(lease.publicToken) === lease) this.#byPublicToken.delete(lease.publicToken)
  }
}

function renewalOf({ client, acknowledged }: ClientLease, page: Page): LeaseRenewal {
  return {
    publicToken: client.publicToken,
    generation: client.generation,
    holder: page.id,
    take: page.take,
    seconds: leaseSeconds(client.connectionIdleSeconds),
    goodbye: false,
    ...(acknowledged && { acknowledged }),
  }
}
