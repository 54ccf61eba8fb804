import type { Entry } from '../../lib/comet-state-provider.ts'
import type { Model } from './model.ts'

/**
 * One atomic step of a call: where it can lead to from a model when `next` are the next entries of the log. Nowhere, if
 * what was answered cannot have come from that.
 */
export type Act = (model: Model, next: readonly Entry[]) => readonly Reached[]

export interface Reached {
  readonly model: Model
  /** How many of `next` it has appended: the first so many. */
  readonly appended: number
}

/** What a call does, in order. */
export interface ActsOfACall {
  readonly acts: readonly Act[]
  /** Whether all of them are known to be done. If not it may be the first so many, or none. */
  readonly isComplete: boolean
}

/**
 * The models that can be reached from one of those given, by doing the acts of all calls in some order, so that they
 * have added these entries to the log. None: no order explains what was seen.
 */
export function explanations(
  models: readonly Model[],
  calls: readonly ActsOfACall[],
  added: readonly Entry[],
): Model[] {
  const visited = new Set<string>()
  const reached = new Map<string, Model>()

  /** @param done how many acts of each call */
  const visit = (model: Model, done: readonly number[], entries: number): void => {
    const place = `${done} ${entries} ${model.fingerprint}`
    if (visited.has(place)) return
    visited.add(place)
    const isEnd = calls.every(({ acts, isComplete }, index) => !isComplete || done[index] === acts.length)
    if (isEnd && entries === added.length) reached.set(model.fingerprint, model)
    const next = added.slice(entries)
    const steps = calls.flatMap(({ acts, isComplete }, index) => {
      const reachable = acts[done[index]!]?.(model, next) ?? []
      const after = done.with(index, done[index]! + 1)
      const isSure = isComplete && reachable.length === 1
      return reachable.map((to) => ({ to, done: after, isSure }))
    })
    // What was answered and changes nothing can as well be done at once: all else is possible after it as before.
    const idle = steps.find(({ to, isSure }) => isSure && to.model === model && to.appended === 0)
    for (const step of idle ? [idle] : steps) visit(step.to.model, step.done, entries + step.to.appended)
  }

  const none = calls.map(() => 0)
  for (const model of models) visit(model, none, 0)
  return [...reached.values()]
}
