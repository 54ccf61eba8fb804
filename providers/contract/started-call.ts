import assert from 'node:assert/strict'
import type { Entry, ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { operationAct, readAct, renewalAct, sweepActs, unansweredSweepActs } from './acts.ts'
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
  const { epoch } = context
  const call = provider.append(operations).then((value) => {
    assert.equal(value.length, operations.length, 'append answers with one outcome for each operation')
    const acts = operations.map((operation, index) => operationAct(operation, value[index], epoch))
    return { value, acts: () => acts }
  })
  return new StartedCall(planned, call, () => {
    return operations.map((operation) => operationAct(operation, undefined, epoch))
  })
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
