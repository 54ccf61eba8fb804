import type {
  ClientRecord,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers whose clients are wrong, each in one way. */

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
