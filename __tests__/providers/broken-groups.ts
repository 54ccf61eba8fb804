import type { ClientRecord, Entry, Operation, Outcome, RetainedLog } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { ChangesOperations, ChangesRecords } from './changing-wrappers.ts'

/** Providers whose groups are wrong, each in one way. */

/** Counts from the position before the join entry. */
export class JoinsFromBefore extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    const memberships = record.memberships.map((each) => ({ ...each, joined: each.joined - 1 }))
    return { ...record, memberships }
  }
}

export class ForgetsWhereSomebodyWasAMember extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    return { ...record, memberships: record.memberships.filter(({ left }) => left === undefined) }
  }
}

/** Ends the membership that was there before along with the one that goes on. */
export class EndsBothMemberships extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    const left = record.memberships.find((each) => each.left !== undefined)?.left
    const ended = left === undefined ? {} : { left }
    return { ...record, memberships: record.memberships.map((each) => ({ ...each, ...ended })) }
  }
}

/** Does again what was done, and tells everybody. */
export class LeavesAndJoinsAgain extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      const [outcome] = await super.append([operation])
      if (operation.kind !== 'join' || !('unchanged' in outcome!)) {
        outcomes.push(outcome!)
        continue
      }
      const [, joined] = await super.append([{ ...operation, kind: 'leave' }, operation])
      outcomes.push(joined!)
    }
    return outcomes
  }
}

export class SaysNothingOfWhatItDidNotDo extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome) => {
      if (!('unchanged' in outcome)) return outcome
      const { unchanged, ...done } = outcome
      return done
    })
  }
}

export class SortsGroups extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    return { ...record, client: { ...record.client, groups: record.client.groups.toSorted() } }
  }
}

/** Takes initial groups for joined ones. */
export class CountsInitialGroupsFromTheirEntries extends ChangesRecords {
  readonly #joins = new Map<string, number>()

  protected override feed(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.kind === 'join') this.#joins.set(entry.group, entry.id)
    super.feed(entries)
  }

  protected override changedRecord(record: ClientRecord): ClientRecord {
    const memberships = record.memberships.map((each) => ({ ...each, joined: this.#joins.get(each.group)! }))
    return { ...record, memberships }
  }
}

export class IgnoresMaxGroups extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    return operation.kind === 'join' ? { ...operation, maxGroups: Number.POSITIVE_INFINITY } : operation
  }
}

/** Looks at the limit before it looks who is a member. */
export class RefusesAMemberAtTheLimit extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome, index) => {
      const operation = operations[index]!
      if (operation.kind !== 'join' || 'refused' in outcome || !outcome.unchanged) return outcome
      const isFull = outcome.client!.groups.length >= operation.maxGroups
      return isFull ? { refused: 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' } : outcome
    })
  }
}

/** Of whom nothing is known nothing has changed. */
export class LetsNobodyLeave extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome, index) => {
      if (operations[index]!.kind !== 'leave' || 'id' in outcome) return outcome
      return { id: this.head, epoch: '', unchanged: true }
    })
  }
}

export class ChangesAnyGeneration extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    if (operation.kind !== 'join' && operation.kind !== 'leave' && operation.kind !== 'update')
      return operation
    const { generation, ...anybody } = operation
    return anybody
  }
}

/** Like a database that compares without regard to case. */
export class FoldsTheCaseOfGroups extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    if (operation.kind !== 'join' && operation.kind !== 'leave') return operation
    return { ...operation, group: operation.group.toLowerCase() }
  }
}

/** Makes one of two names that look alike. */
export class NormalisesGroups extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    if (operation.kind !== 'join' && operation.kind !== 'leave') return operation
    return { ...operation, group: operation.group.normalize() }
  }
}

/** Whoever comes to an empty group finds those who were there last. */
export class KeepsAnEmptyGroup extends ChangesRecords {
  readonly #firstAt = new Map<string, number>()

  protected override feed(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'join' && !this.#firstAt.has(entry.group))
        this.#firstAt.set(entry.group, entry.generation)
    }
    super.feed(entries)
  }

  protected override changedRecord(record: ClientRecord): ClientRecord {
    const memberships = record.memberships.map((each) => {
      return each.left === undefined ? { ...each, joined: this.#firstAt.get(each.group)! } : each
    })
    return { ...record, memberships }
  }
}

/** Keeps only a few that have ended. */
export class ForgetsMembershipsThatAreRetained extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    const ended = record.memberships.filter(({ left }) => left !== undefined)
    const memberships = record.memberships.filter((each) => each.left === undefined || each === ended.at(-1))
    return { ...record, memberships }
  }
}

/** Says that something is lost which nobody can ask for. */
export class SaysThatWhatWasTrimmedIsLost extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    const [first] = record.memberships.filter(({ left }) => left !== undefined)
    return first === undefined ? record : { lostThrough: first.joined, ...record }
  }
}

export class SaysNothingOfWhatItHasDropped extends ChangesRecords {
  protected override changedRecord({ lostThrough, ...record }: ClientRecord): ClientRecord {
    return record
  }
}

/** Drops the one that began first. */
export class DropsTheLongestMembership extends ChangesRecords {
  protected override changedRecord(record: ClientRecord): ClientRecord {
    if (record.lostThrough === undefined) return record
    return { ...record, memberships: record.memberships.filter(({ group }) => group !== 'long') }
  }
}

/** Knows of memberships by their join entries. */
export class ForgetsAMembershipWithItsEntry extends ChangesRecords {
  #trimmedThrough = 0

  protected override begin(log: RetainedLog): void {
    this.#trimmedThrough = log.trimmedThrough
    super.begin(log)
  }

  protected override changedRecord(record: ClientRecord): ClientRecord {
    const memberships = record.memberships.filter(({ joined }) => joined > this.#trimmedThrough)
    return { ...record, memberships }
  }
}
