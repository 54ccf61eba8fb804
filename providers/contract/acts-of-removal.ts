import type {
  Entry,
  Outcome,
  RemovedClient,
  RemoveOperation,
  StopOperation,
} from '../../lib/comet-state-provider.ts'
import { type Appending, NOWHERE, operationAct, stay } from './acts.ts'
import { areEntries } from './are-entries.ts'
import type { Act } from './explanations.ts'
import { isSameClient, type ModelClient } from './model-client.ts'
import { leavesOf, removalOf } from './predictions.ts'

/** The atomic steps of calls that remove several: other nodes can come between. */

/** A stop: its entry, each whom it hit with its leave entries, and that nobody is left. */
export function stopActs(
  operation: StopOperation,
  outcome: Outcome | undefined,
  at: Appending,
  added: readonly Entry[],
): Act[] {
  const begin = operationAct(operation, outcome, at)
  if (outcome === undefined) {
    const leave: Act = (model, next) => [...stay(model), ...leaveAct(undefined)(model, next)]
    return [begin, ...added.filter(({ kind }) => kind === 'leave').map(() => leave), leftNobody(at, true)]
  }
  const stopped = 'refused' in outcome ? [] : (outcome.stopped ?? [])
  const inOrder = inOrderOfLeaving(
    stopped.map((client): RemovedClient => ({ client, reason: 'stopped' })),
    added,
  )
  return [begin, ...inOrder.map(leaveAct), leftNobody(at, false)]
}

/**
 * A sweep that answered: it has removed these in the order of their entries, and left nobody whose lease has ended. Of
 * whom a dead node had to stop it may leave some to the next.
 */
export function sweepActs(removed: readonly RemovedClient[], added: readonly Entry[]): Act[] {
  const acts = inOrderOfLeaving(removed, added).map((each) => {
    return each.reason === 'stopped' ? leaveAct(each) : expiryAct(each)
  })
  return [noteSweepAct, ...acts, (model) => (model.expired().length === 0 ? stay(model) : NOWHERE)]
}

/** A sweep that did not answer: each removal may be of it. */
export function unansweredSweepActs(added: readonly Entry[]): Act[] {
  const anything: Act = (model, next) => {
    return [...stay(model), ...expiryAct(undefined)(model, next), ...leaveAct(undefined)(model, next)]
  }
  const ends = added.filter(({ kind }) => kind === 'remove' || kind === 'leave')
  return [noteSweepAct, ...ends.map(() => anything)]
}

const noteSweepAct: Act = (model) => {
  const after = model.copy()
  after.noteSweep()
  return stay(after)
}

/** A sweep removes one client: this one, if it was told. */
function expiryAct(told: RemovedClient | undefined): Act {
  return (model, next) => {
    for (const client of model.expired()) {
      const removal = removalOf(client)
      const entries = next.slice(0, removal.length)
      if (!areEntries(entries, removal) || (told && !isIt(told, client))) continue
      const { publicToken, generation } = client
      const after = model.copy()
      const operation: RemoveOperation = { kind: 'remove', publicToken, generation }
      after.apply(operation, entries, 0)
      return [{ model: after, appended: entries.length }]
    }
    return NOWHERE
  }
}

/** One whom a stop has hit is removed: this one, if it was told; else any that is in groups, as can be seen then. */
function leaveAct(told: RemovedClient | undefined): Act {
  return (model, next) => {
    for (const { client } of model.leaving()) {
      const leaves = leavesOf(client)
      const entries = next.slice(0, leaves.length)
      if (told ? !isIt(told, client) : leaves.length === 0) continue
      if (!areEntries(entries, leaves)) continue
      const after = model.copy()
      after.leave(client, entries)
      return [{ model: after, appended: entries.length }]
    }
    return NOWHERE
  }
}

/** A stop is at its end. If it did not answer, those may be left of whom no entry would tell. */
function leftNobody({ node }: Appending, mayLeaveUnseen: boolean): Act {
  return (model) => {
    const left = model.leaving().filter(({ by, client }) => {
      return by === node && !(mayLeaveUnseen && leavesOf(client).length === 0)
    })
    return left.length === 0 ? stay(model) : NOWHERE
  }
}

function isIt({ client, reason }: RemovedClient, known: ModelClient): boolean {
  if (!isSameClient(client, known)) return false
  return reason === 'stopped' || (reason === 'goodbye') === known.goodbye
}

/** Those last of whom no entry tells. */
function inOrderOfLeaving(removed: readonly RemovedClient[], added: readonly Entry[]): RemovedClient[] {
  const lastIdOf = ({ client }: RemovedClient): number => {
    const ends = added.filter((entry) => {
      return (entry.kind === 'leave' || entry.kind === 'remove') && entry.generation === client.generation
    })
    return ends.at(-1)?.id ?? Number.MAX_SAFE_INTEGER
  }
  return removed.toSorted((a, b) => lastIdOf(a) - lastIdOf(b))
}
