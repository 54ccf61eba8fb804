import { CallBatch } from '../call-batch.ts'
import type { ICometStateProvider, LeaseOutcome, LeaseRenewal } from '../comet-state-provider.ts'
import { SerialCalls } from '../serial-calls.ts'
import { type ClientLease, leaseSeconds } from './client-lease.ts'
import { leaseNow } from './lease-clock.ts'
import type { Page } from './page.ts'

/** A page that said goodbye is given this long to come back as another one: a reload must not look like leaving. */
const GOODBYE_SECONDS = 5

/** Asks the store for leases, and takes note of what it answers. */
export class LeaseRenewals {
  readonly #calls: SerialCalls
  readonly #batch: CallBatch<LeaseRenewal, LeaseOutcome>

  constructor(provider: ICometStateProvider, timeoutSeconds: number) {
    const calls = new SerialCalls(timeoutSeconds)
    this.#calls = calls
    this.#batch = new CallBatch((renewals) => calls.ask('renewLeases', () => provider.renewLeases(renewals)))
  }

  /** Whether the store has been asked and has not answered, be it that it is overdue. */
  get isAsking(): boolean {
    return this.#calls.isAsking
  }

  /** For a request that came from this page. */
  forRequest(lease: ClientLease, page: Page): Promise<LeaseOutcome> {
    return this.#renew(lease, { ...renewalFor(lease, page.id), take: page.take, returns: true })
  }

  /** For the page that was here last. It may have said goodbye on another node since. */
  inBackground(lease: ClientLease): Promise<LeaseOutcome> {
    return this.#renew(lease, renewalFor(lease, lease.holder ?? ''))
  }

  /** For a page that leaves. */
  async goodbye(lease: ClientLease, pageId: string): Promise<void> {
    await this.#batch.add({ ...renewalFor(lease, pageId), seconds: GOODBYE_SECONDS, goodbye: true })
  }

  /** Resolves when no renewal is under way any more. */
  drained(): Promise<void> {
    return this.#batch.drained()
  }

  async #renew(lease: ClientLease, renewal: LeaseRenewal): Promise<LeaseOutcome> {
    const askedAt = leaseNow()
    const outcome = await this.#batch.add(renewal)
    if (outcome === 'kept') {
      lease.holder = renewal.holder
      lease.renewedAt = askedAt
    } else if (outcome === 'elsewhere' && lease.holder === renewal.holder) {
      // Unknown who has it: the next page that comes has to ask.
      lease.holder = undefined
    }
    return outcome
  }
}

function renewalFor({ client, acknowledged }: ClientLease, holder: string): LeaseRenewal {
  return {
    publicToken: client.publicToken,
    generation: client.generation,
    holder,
    take: false,
    returns: false,
    seconds: leaseSeconds(client.connectionIdleSeconds),
    goodbye: false,
    ...(acknowledged && { acknowledged }),
  }
}
