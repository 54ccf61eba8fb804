import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  Entry,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
} from '../../lib/comet-state-provider.ts'
import { areEntries } from './are-entries.ts'
import type { Act, Reached } from './explanations.ts'
import type { Model } from './model.ts'
import { isSameClient, isSameRecord, type ModelClient } from './model-client.ts'
import { type Prediction, predict } from './predictions.ts'

/** The atomic steps of calls. Where what was answered is not known, anything is possible. */

export const NOWHERE: readonly Reached[] = []

/** Who appends: the node, and the life of the log that it knows. */
export interface Appending {
  readonly node: number
  readonly epoch: string
}

/** One operation; of a stop its beginning. */
export function operationAct(operation: Operation, outcome: Outcome | undefined, at: Appending): Act {
  return (model, next) => {
    const predicted = predict(model, operation, next[0]?.id ?? 0)
    const added = 'adds' in predicted ? next.slice(0, predicted.adds.length) : []
    if ('adds' in predicted && !areEntries(added, predicted.adds)) return NOWHERE
    const after = added.length > 0 ? model.copy() : model
    if (added.length > 0) after.apply(operation, added, at.node)
    if (outcome !== undefined) {
      if (!isAnswer(outcome, predicted, added, model, at.epoch)) return NOWHERE
      if (!hasClient(outcome, operation, model, after)) return NOWHERE
    }
    return [{ model: after, appended: added.length }]
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

/** One claim. Of those that were not answered each may have been done, whatever became of the others. */
export function claimAct(claim: Claim, outcome: ClaimOutcome | undefined): Act {
  return (model) => {
    const after = model.copy()
    const possible = after.claim(claim).map((each) => JSON.stringify(each))
    if (outcome === undefined) return [...stay(model), ...stay(after)]
    return possible.includes(JSON.stringify(outcome)) ? stay(after) : NOWHERE
  }
}

export function settlementAct(reply: ClaimReply, isAnswered: boolean): Act {
  return (model) => {
    const after = model.copy()
    after.settle(reply)
    return isAnswered ? stay(after) : [...stay(model), ...stay(after)]
  }
}

export function readAct(privateTokenHash: string, found: ClientRecord | 'stopped' | undefined): Act {
  return (model) => {
    const known = model.clientOf(privateTokenHash)
    if (typeof found !== 'object' || typeof known !== 'object') return found === known ? stay(model) : NOWHERE
    return isSameRecord(found, known) ? stay(model) : NOWHERE
  }
}

/** It leads to no other model, and adds nothing. */
export function stay(model: Model): readonly Reached[] {
  return [{ model, appended: 0 }]
}

function isAnswer(
  outcome: Outcome,
  predicted: Prediction,
  added: readonly Entry[],
  model: Model,
  epoch: string,
): boolean {
  if ('refused' in outcome) return 'refused' in predicted && outcome.refused === predicted.refused
  const { id, unchanged } = outcome
  if (outcome.epoch !== epoch || (unchanged === true) !== 'unchangedSince' in predicted) return false
  if ('unchangedSince' in predicted) return predicted.unchangedSince <= id && id <= model.head
  if ('repeats' in predicted) return id === predicted.repeats
  // The join entries of a new client come behind the entry that says what was done, leave entries before it.
  return 'adds' in predicted && id === added[added[0]!.kind === 'initialise' ? 0 : added.length - 1]!.id
}

/** Whether the outcome has the client that it is to have: as it is after the operation, or was before its removal. */
function hasClient(outcome: Outcome, operation: Operation, before: Model, after: Model): boolean {
  if ('refused' in outcome) return true
  const known = clientAbout(operation, before, after)
  if (known === undefined) return outcome.client === undefined
  return outcome.client !== undefined && isSameClient(outcome.client, known)
}

function clientAbout(operation: Operation, before: Model, after: Model): ModelClient | undefined {
  switch (operation.kind) {
    case 'send':
    case 'stop':
      return undefined
    case 'remove':
      return before.bearer(operation.publicToken)
    case 'initialise':
      return after.bearer(operation.client.publicToken)
    default:
      return after.bearer(operation.publicToken)
  }
}
