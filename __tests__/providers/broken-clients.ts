import type {
  ClientRecord,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  RemovedClient,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers whose clients or leases are wrong, each in one way. */

type Found = ClientRecord | 'stopped' | undefined

export class ForgetsARecordsPosition extends ProviderWrapper {
  override async getClient(privateTokenHash: string): Promise<Found> {
    const found = await super.getClient(privateTokenHash)
    return typeof found === 'object' ? { ...found, asOf: 0 } : found
  }
}

/** Reads the record, then where the log is by now. */
export class ReadsThePositionLater extends ProviderWrapper {
  override async getClient(privateTokenHash: string): Promise<Found> {
    const found = await super.getClient(privateTokenHash)
    return typeof found === 'object' ? { ...found, asOf: this.head } : found
  }
}

/** Answers from a cache that nobody clears. */
export class ResurrectsARemovedClient extends ProviderWrapper {
  readonly #cache = new Map<string, ClientRecord>()

  override async getClient(privateTokenHash: string): Promise<Found> {
    const found = await super.getClient(privateTokenHash)
    if (typeof found === 'object') this.#cache.set(privateTokenHash, found)
    return found ?? this.#cache.get(privateTokenHash)
  }
}

/** Makes of a renewal for a client that is gone a new client. */
export class RenewsTheDead extends ProviderWrapper {
  readonly #initialised = new Map<string, Operation>()

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    for (const operation of operations) {
      if (operation.kind === 'initialise') this.#initialised.set(operation.client.publicToken, operation)
    }
    return super.append(operations)
  }

  override async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const outcomes = await super.renewLeases(renewals)
    for (const [index, { publicToken }] of renewals.entries()) {
      const operation = this.#initialised.get(publicToken)
      if (outcomes[index] === 'gone' && operation) await super.append([operation])
    }
    return outcomes
  }
}

/** Looks, waits, and then stores without looking again. */
export class AcceptsATokenTwice extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const [first] = operations
    if (operations.length !== 1 || first?.kind !== 'initialise') return super.append(operations)
    const taken = await this.inner.getClient(first.privateTokenHash)
    const outcomes = await super.append(operations)
    if (taken || !('refused' in outcomes[0]!)) return outcomes
    const found = await this.inner.getClient(first.privateTokenHash)
    if (typeof found !== 'object') return outcomes
    const { publicToken, generation } = found.client
    return (await super.append([{ kind: 'remove', publicToken, generation }, first])).slice(1)
  }
}

export class AcceptsAPublicTokenInUse extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    const [first] = operations
    if (first?.kind !== 'initialise' || !('refused' in outcomes[0]!)) return outcomes
    for await (const { publicToken, generation } of this.inner.getClients()) {
      if (publicToken !== first.client.publicToken) continue
      const [, outcome] = await super.append([{ kind: 'remove', publicToken, generation }, first])
      return [outcome!]
    }
    return outcomes
  }
}

export class RemovesAnyGeneration extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const generations = new Map<string, number>()
    for await (const { publicToken, generation } of this.inner.getClients())
      generations.set(publicToken, generation)
    return super.append(
      operations.map((operation) => {
        if (operation.kind !== 'remove') return operation
        return { ...operation, generation: generations.get(operation.publicToken) ?? operation.generation }
      }),
    )
  }
}

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

export class ForgetsThatATokenWasStopped extends ProviderWrapper {
  override async getClient(privateTokenHash: string): Promise<Found> {
    const found = await super.getClient(privateTokenHash)
    return found === 'stopped' ? undefined : found
  }
}

/** Removes whom it should stop, so that a stopped token can be used again. */
export class RemovesInsteadOfStopping extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      if (operation.kind === 'stop') {
        for await (const { publicToken, generation } of this.inner.getClients()) {
          if (!operation.topics.includes(`c:${publicToken}`)) continue
          await super.append([{ kind: 'remove', publicToken, generation }])
        }
      }
      outcomes.push(...(await super.append([operation])))
    }
    return outcomes
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
