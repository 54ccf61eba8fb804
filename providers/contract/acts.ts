import type {
  ClientRecord,
  Entry,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  RemovedClient,
} from '../../lib/comet-state-provider.ts'
import type { Act, Reached } from './explanations.ts'
import type { Model } from './model.ts'
import type { ModelClient } from './model-client.ts'

/** The atomic steps of each call. Where what was answered is not known, anything is possible. */

const NOWHERE: readonly Reached[] = []

export function operationAct(operation: Operation, outcome: Outcome | undefined, epoch: string): Act {
  return (model, next) => {
    const predicted = model.predict(operation)
    if (predicted !== 'new') {
      return outcome === undefined || isAnswer(outcome, predicted, epoch) ? stay(model) : NOWHERE
    }
    if (next === undefined || gist(next) !== gist(operation)) return NOWHERE
    const after = model.copy()
    const stopped = after.apply(operation, next.id)
    const fits =
      outcome === undefined || (isAnswer(outcome, next, epoch) && isAudience(outcome, operation, stopped))
    return fits ? [{ model: after, appended: true }] : NOWHERE
  }
}

export function renewalAct(renewal: LeaseRenewal, outcome: LeaseOutcome | undefined): Act {
  return (model) => {
    const after = model.copy()
    const predicted = after.renew(renewal)
    if (outcome !== undefined && outcome !== predicted) return NOWHERE
    return stay(predicted === 'kept' ? after : model)
  }
}

export function readAct(privateTokenHash: string, found: ClientRecord | 'stopped' | undefined): Act {
  return (model) => {
    const known = model.clientOf(privateTokenHash)
    if (typeof found !== 'object' || typeof known !== 'object') return found === known ? stay(model) : NOWHERE
    const { client, holder, acknowledged } = found
    const isSame =
      client.publicToken === known.publicToken &&
      client.generation === known.generation &&
      holder === known.holder &&
      acknowledged?.messageId === known.acknowledgedId
    return isSame ? stay(model) : NOWHERE
  }
}

/** A sweep that answered: it has removed these in the order of their entries, and left nobody whose lease has ended. */
export function sweepActs(removed: readonly RemovedClient[], added: readonly Entry[]): Act[] {
  const inOrder = added.flatMap((entry) => {
    return removed.filter(
      ({ client }) =>
        entry.kind === 'remove' &&
        entry.publicToken === client.publicToken &&
        entry.generation === client.generation,
    )
  })
  const leavesNobody: Act = (model) => (model.expired().length === 0 ? stay(model) : NOWHERE)
  const hasEntries: Act = (model) => (inOrder.length === removed.length ? stay(model) : NOWHERE)
  return [noteSweepAct, hasEntries, ...inOrder.map(({ reason }) => expiryAct(reason)), leavesNobody]
}

/** A sweep that did not answer: each remove entry may be of it. */
export function unansweredSweepActs(added: readonly Entry[]): Act[] {
  return [noteSweepAct, ...added.filter(({ kind }) => kind === 'remove').map(() => expiryAct(undefined))]
}

const noteSweepAct: Act = (model) => {
  const after = model.copy()
  after.noteSweep()
  return stay(after)
}

/** A sweep removes one client. */
function expiryAct(reason: RemovedClient['reason'] | undefined): Act {
  return (model, next) => {
    if (next?.kind !== 'remove') return NOWHERE
    const { publicToken, generation } = next
    const isIt = (client: ModelClient) =>
      client.publicToken === publicToken && client.generation === generation
    const client = model.expired().find(isIt)
    if (client === undefined || (reason !== undefined && reason !== reasonOf(client))) return NOWHERE
    const after = model.copy()
    after.apply(next, next.id)
    return [{ model: after, appended: true }]
  }
}

function reasonOf({ goodbye }: ModelClient): RemovedClient['reason'] {
  return goodbye ? 'goodbye' : 'idle'
}

function stay(model: Model): readonly Reached[] {
  return [{ model, appended: false }]
}

function isAnswer(
  outcome: Outcome,
  expected: { readonly id: number } | { readonly refused: string },
  epoch: string,
): boolean {
  if ('refused' in outcome) return 'refused' in expected && outcome.refused === expected.refused
  return 'id' in expected && outcome.id === expected.id && outcome.epoch === epoch
}

function isAudience(outcome: Outcome, operation: Operation, stopped: readonly string[]): boolean {
  if (operation.kind !== 'stop' || 'refused' in outcome) return true
  const told = (outcome.stopped ?? []).map(({ publicToken }) => publicToken)
  return told.toSorted().join() === stopped.toSorted().join()
}

/** The same for an operation and for its entry. */
function gist(of: Operation | Entry): string {
  switch (of.kind) {
    case 'send':
    case 'message':
      return JSON.stringify(['message', of.topics, of.except, of.name, of.contents])
    case 'initialise':
      return JSON.stringify([of.kind, 'client' in of ? of.client.publicToken : of.publicToken])
    case 'remove':
      return JSON.stringify([of.kind, of.publicToken, of.generation])
    case 'stop':
      return JSON.stringify([of.kind, of.topics])
  }
}
