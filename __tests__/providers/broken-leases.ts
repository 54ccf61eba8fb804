import type {
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  RemovedClient,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers whose leases are wrong, each in one way. */

export class KillsARenewedLease extends ProviderWrapper {
  override async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return renewals.map(() => 'kept')
  }
}

export class RenewsForAnEarlierBearer extends ProviderWrapper {
  override async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const generations = new Map<string, number>()
    for await (const { publicToken, generation } of this.inner.getClients())
      generations.set(publicToken, generation)
    return super.renewLeases(
      renewals.map((renewal) => {
        return { ...renewal, generation: generations.get(renewal.publicToken) ?? renewal.generation }
      }),
    )
  }
}

export class LetsAnyPageSayGoodbye extends ProviderWrapper {
  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return super.renewLeases(
      renewals.map((renewal) => (renewal.goodbye ? { ...renewal, take: true } : renewal)),
    )
  }
}

export class UndoesAGoodbye extends ProviderWrapper {
  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return super.renewLeases(renewals.map((renewal) => ({ ...renewal, returns: true })))
  }
}

export class IgnoresRenewalsWithoutARequest extends ProviderWrapper {
  override async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const outcomes = await super.renewLeases(renewals.filter(({ returns, goodbye }) => returns || goodbye))
    return renewals.map(({ returns, goodbye }) => (returns || goodbye ? outcomes.shift()! : 'kept'))
  }
}

export class LetsAnyPageTakeTheLease extends ProviderWrapper {
  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return super.renewLeases(renewals.map((renewal) => ({ ...renewal, take: true })))
  }
}

/** Keeps what was acknowledged last: reads as if nothing higher had been before. */
export class KeepsTheLastAcknowledged extends ProviderWrapper {
  override async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const cleared = renewals.map((renewal) => {
      return renewal.acknowledged ? { ...renewal, acknowledged: { epoch: 'none', messageId: 0 } } : renewal
    })
    const outcomes = await super.renewLeases(cleared)
    return renewals.length > 0 ? super.renewLeases(renewals) : outcomes
  }
}

export class ForgetsTheReason extends ProviderWrapper {
  override async removeExpired(): Promise<RemovedClient[]> {
    return (await super.removeExpired()).map(({ client }) => ({ client, reason: 'idle' }))
  }
}

/** What the nodes of one store know of each other's sweeps. */
export type Swept = RemovedClient[]

/** Lists the expired clients for every node that asks. */
export class LetsTwoNodesHaveAnExpiredClient extends ProviderWrapper {
  readonly #swept: Swept

  constructor(inner: ICometStateProvider, swept: Swept) {
    super(inner)
    this.#swept = swept
  }

  override async removeExpired(): Promise<RemovedClient[]> {
    const removed = await super.removeExpired()
    this.#swept.push(...removed)
    await Promise.resolve()
    return [...this.#swept]
  }
}

/** Made for a store that sweeps as its clock moves: answers with whom that removed. */
export class IgnoresUnsweptTime extends ProviderWrapper {
  readonly #swept: Swept

  constructor(inner: ICometStateProvider, swept: Swept) {
    super(inner)
    this.#swept = swept
  }

  override async removeExpired(): Promise<RemovedClient[]> {
    return [...this.#swept.splice(0), ...(await super.removeExpired())]
  }
}
