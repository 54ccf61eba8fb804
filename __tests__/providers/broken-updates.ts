import type { PublicCometClient } from '../../lib/comet-client.ts'
import type { Entry, Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { ChangesOperations } from './changing-wrappers.ts'

/** Providers whose updates are wrong, each in one way. */

export class TakesNullForNothing extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    if (operation.kind !== 'update' || operation.data !== null) return operation
    const { data, ...rest } = operation
    return rest
  }
}

export class TellsOfNoGroups extends ProviderWrapper {
  protected override feed(entries: readonly Entry[]): void {
    super.feed(entries.map((entry) => (entry.kind === 'update' ? { ...entry, groups: [] } : entry)))
  }
}

/** Writes the whole record anew, as it was given. */
export class LosesGroupsAtAnUpdate extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    for (const [index, { kind }] of operations.entries()) {
      const outcome = outcomes[index]!
      if (kind !== 'update' || 'refused' in outcome) continue
      const { publicToken, groups } = outcome.client!
      await super.append(groups.map((group) => ({ kind: 'leave', publicToken, group })))
    }
    return outcomes
  }
}

/** Keeps in its entries what it has first told of a client. */
export class TellsOfAnOldName extends ProviderWrapper {
  readonly #first = new Map<number, PublicCometClient>()

  protected override feed(entries: readonly Entry[]): void {
    super.feed(
      entries.map((entry) => {
        if (entry.kind !== 'join' && entry.kind !== 'leave') return entry
        const client = this.#first.get(entry.generation) ?? entry.client
        this.#first.set(entry.generation, client)
        return { ...entry, client }
      }),
    )
  }
}
