import assert from 'node:assert/strict'
import type { Entry, ICometStateProvider, Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { type Appending, claimAct, operationAct, readAct, renewalAct, settlementAct } from './acts.ts'
import { stopActs, sweepActs, unansweredSweepActs } from './acts-of-removal.ts'
import { assertPosition } from './assert-position.ts'
import type { CallContext } from './call-context.ts'
import type { Act, ActsOfACall } from './explanations.ts'
import type { PlannedCall } from './steps.ts'

/** The log after some calls. */
export interface SeenLog {
  readonly entries: readonly Entry[]
  /** Those that came with these calls. */
  readonly added: readonly Entry[]
}

/** What a call does, if the log has come to be this. */
type ActsOf = (log: SeenLog) => readonly Act[]

interface Answer {
  readonly value: unknown
  readonly acts: ActsOf
}

/** A call that was made and may have ended. */
export class StartedCall {
  /** Resolves when it has ended in any way. */
  readonly ended: Promise<void>
  readonly #planned: PlannedCall
  readonly #unanswered: ActsOf
  #answer: Answer | undefined
  #error: unknown

  /** @param unanswered what it may have done if it does not answer */
  constructor(planned: PlannedCall, call: Promise<Answer>, unanswered: ActsOf) {
    this.#planned = planned
    this.#unanswered = unanswered
    this.ended = call.then(
      (answer) => {
        this.#answer = answer
      },
      (error: unknown) => {
        this.#error = error
      },
    )
  }

  /** Fails with what the call was rejected with, if it was. */
  assertAnswered(): void {
    if (this.#answer === undefined) throw this.#error ?? new Error(`${this.#planned.call} was not answered`)
  }

  acts(log: SeenLog): ActsOfACall {
    const actsOf = this.#answer?.acts ?? this.#unanswered
    return { acts: actsOf(log), isComplete: this.#answer !== undefined }
  }

  /** For who reads a failure. */
  toString(): string {
    const answer = this.#answer ? JSON.stringify(this.#answer.value) : `nothing (${this.#error ?? 'it died'})`
    return `${JSON.stringify(this.#planned)} was answered ${answer}`
  }
}

export function startCall(
  planned: PlannedCall,
  provider: ICometStateProvider,
  context: CallContext,
): StartedCall {
  switch (planned.call) {
    case 'append':
      return startAppend(planned, provider, context)
    case 'renew':
      return startRenewal(planned, provider, context)
    case 'read': {
      const hash = context.hashOf(planned)
      const call = provider.getClient(hash).then((value) => ({
        value,
        acts({ entries }: SeenLog) {
          if (typeof value === 'object') assertPosition(value, entries)
          return [readAct(hash, value)]
        },
      }))
      return new StartedCall(planned, call, () => [])
    }
    case 'claim':
      return startClaims(planned, provider, context)
    case 'settle': {
      const replies = planned.replies.map((reply) => context.filled(reply))
      const actsOf = (isAnswered: boolean) => () => replies.map((reply) => settlementAct(reply, isAnswered))
      const call = provider.settle(replies).then((value) => ({ value, acts: actsOf(true) }))
      return new StartedCall(planned, call, actsOf(false))
    }
    case 'sweep': {
      const call = provider.removeExpired().then((value) => ({
        value,
        acts: ({ added }: SeenLog) => sweepActs(value, added),
      }))
      return new StartedCall(planned, call, ({ added }) => unansweredSweepActs(added))
    }
  }
}

function startAppend(
  planned: PlannedCall & { call: 'append' },
  provider: ICometStateProvider,
  context: CallContext,
): StartedCall {
  const operations = planned.operations.map((operation) => context.operationOf(operation))
  const at = { node: planned.node, epoch: context.epoch }
  const actsOf = (outcomes: readonly Outcome[]): ActsOf => {
    return ({ added }) =>
      operations.flatMap((each, index) => actsOfOperation(each, outcomes[index], at, added))
  }
  const call = provider.append(operations).then((value) => {
    assert.equal(value.length, operations.length, 'append answers with one outcome for each operation')
    return { value, acts: actsOf(value) }
  })
  return new StartedCall(planned, call, actsOf([]))
}

function actsOfOperation(
  operation: Operation,
  outcome: Outcome | undefined,
  at: Appending,
  added: readonly Entry[],
): Act[] {
  if (operation.kind === 'stop') return stopActs(operation, outcome, at, added)
  return [operationAct(operation, outcome, at)]
}

function startClaims(
  planned: PlannedCall & { call: 'claim' },
  provider: ICometStateProvider,
  context: CallContext,
): StartedCall {
  const claims = planned.claims.map((claim) => context.filled(claim))
  const call = provider.claim(claims).then((value) => {
    assert.equal(value.length, claims.length, 'claim answers with one outcome for each claim')
    const acts = claims.map((claim, index) => claimAct(claim, value[index]))
    return { value, acts: () => acts }
  })
  return new StartedCall(planned, call, () => claims.map((claim) => claimAct(claim, undefined)))
}

function startRenewal(
  planned: PlannedCall & { call: 'renew' },
  provider: ICometStateProvider,
  context: CallContext,
): StartedCall {
  const renewals = planned.renewals.map((renewal) => context.renewalOf(renewal))
  const call = provider.renewLeases(renewals).then((value) => {
    assert.equal(value.length, renewals.length, 'renewLeases answers with one outcome for each renewal')
    const acts = renewals.map((renewal, index) => renewalAct(renewal, value[index]))
    return { value, acts: () => acts }
  })
  return new StartedCall(planned, call, () => renewals.map((renewal) => renewalAct(renewal, undefined)))
}
