import type { Operation } from '../../lib/comet-state-provider.ts'

/** How much is done in one commit, so that it does not hold up the event loop: 250 sends, or 100 changes of clients. */
const MAX_WEIGHT = 500

/** About how long each takes: a client is in several indexes. */
const WEIGHTS: Readonly<Record<Operation['kind'], number>> = { send: 2, initialise: 5, remove: 5, stop: 5 }

/** The operations in their order, in as few parts as can be done in one commit each. */
export function* commitSteps(operations: readonly Operation[]): Generator<Operation[]> {
  let step: Operation[] = []
  let weight = 0
  for (const operation of operations) {
    const more = WEIGHTS[operation.kind]
    if (weight + more > MAX_WEIGHT) {
      yield step
      step = []
      weight = 0
    }
    step.push(operation)
    weight += more
  }
  if (step.length > 0) yield step
}
