import type { Published } from './gap-publisher.ts'
import type { Delivered } from './gap-receiver.ts'

export interface GapReport {
  readonly inGaps: number
  /** Whether the page was given all that was published, in order, each once. */
  readonly isComplete: boolean
  /** How many messages of a gap only came with the message that ended the poll after it. */
  readonly late: number
}

/** Compares what was published with what the page was given. */
export function reportGaps(published: readonly Published[], delivered: readonly Delivered[]): GapReport {
  const isComplete =
    published.length === delivered.length && published.every(({ id }, index) => id === delivered[index]!.id)
  const pollOf = new Map(delivered.map(({ id, poll }) => [id, poll]))
  let late = 0
  let nextWaker: number | undefined
  for (const { id, inGap } of [...published].reverse()) {
    if (!inGap) nextWaker = pollOf.get(id)
    else if (nextWaker !== undefined && pollOf.get(id) === nextWaker) late += 1
  }
  return { inGaps: published.filter(({ inGap }) => inGap).length, isComplete, late }
}
