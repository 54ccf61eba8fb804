import type { Entry, Operation, Outcome, RemovedClient } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers that do wrong when somebody goes, each in one way. */

/** The next id is not known of those that go, so nobody is told. */
export class LeavesNoGroupWhenItIsRemoved extends ProviderWrapper {
  protected override feed(entries: readonly Entry[]): void {
    const isRemoval = entries.some(({ kind }) => kind === 'remove')
    super.feed(entries.filter(({ kind }) => !isRemoval || kind !== 'leave'))
  }
}

export class LeavesNoGroupWhenItIsIdle extends ProviderWrapper {
  /** Of all its nodes: each is fed within the call. */
  static #isSweeping = false

  protected override feed(entries: readonly Entry[]): void {
    super.feed(entries.filter(({ kind }) => !LeavesNoGroupWhenItIsIdle.#isSweeping || kind !== 'leave'))
  }

  override removeExpired(): Promise<RemovedClient[]> {
    LeavesNoGroupWhenItIsIdle.#isSweeping = true
    const removing = super.removeExpired()
    LeavesNoGroupWhenItIsIdle.#isSweeping = false
    return removing
  }
}

export class LeavesBeforeItIsStopped extends ProviderWrapper {
  protected override feed(entries: readonly Entry[]): void {
    const rest = entries.filter(({ kind }) => kind !== 'stop')
    const ids = entries.map(({ id }) => id)
    const later = [...rest, ...entries.filter(({ kind }) => kind === 'stop')]
    super.feed(later.map((entry, index) => ({ ...entry, id: ids[index]! })))
  }
}

export class NamesTheGoneWithoutTheirGroups extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome, index) => {
      if (operations[index]!.kind !== 'remove' || 'refused' in outcome) return outcome
      return { ...outcome, client: { ...outcome.client!, groups: [] } }
    })
  }

  override async removeExpired(): Promise<RemovedClient[]> {
    const removed = await super.removeExpired()
    return removed.map(({ client, reason }) => ({ client: { ...client, groups: [] }, reason }))
  }
}

/** Keeps members by their public tokens, and forgets to clear up. */
export class LeavesItsGroupsToTheNext extends ProviderWrapper {
  readonly #groups = new Map<string, string[]>()

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      const [outcome] = await super.append([this.#inheriting(operation)])
      if (operation.kind === 'remove' && 'id' in outcome!) {
        this.#groups.set(operation.publicToken, [...outcome.client!.groups])
      }
      outcomes.push(outcome!)
    }
    return outcomes
  }

  #inheriting(operation: Operation): Operation {
    if (operation.kind !== 'initialise') return operation
    const { client } = operation
    return {
      ...operation,
      client: { ...client, groups: this.#groups.get(client.publicToken) ?? client.groups },
    }
  }
}
