import type { Operation } from '../../lib/comet-state-provider.ts'

/** How much is done in one commit, so that it does not hold up the event loop: 250 sends, or 100 changes of clients. */
const MAX_WEIGHT = 500

/** About how long each takes at least: a client is in several indexes. */
const WEIGHTS: Readonly<Record<Operation['kind'], number>> = {
  send: 2,
  initialise: 5,
  update: 5,
  join: 5,
  leave: 5,
  remove: 5,
  stop: 5,
}

/** About how long each further part of one takes: a group that a client joins or leaves by it, a client it removes. */
const FURTHER_PART = 5

/** Measures what is done in one commit. */
export class CommitStep {
  #weight = 0

  /** Whether the operation still belongs to this commit. */
  has(operation: Operation): boolean {
    return this.#weight === 0 || this.#weight + WEIGHTS[operation.kind] <= MAX_WEIGHT
  }

  /** @param parts how many entries it added, and clients it removed, beside the first entry */
  count(operation: Operation, parts: number): void {
    this.#weight += WEIGHTS[operation.kind] + FURTHER_PART * parts
  }
}
