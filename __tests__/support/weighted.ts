import type { SeededRandom } from '../../providers/contract/seeded-random.ts'

/** Something that may happen: how often, beside the others, and what. */
export type Act = readonly [weight: number, name: string, act: () => unknown]

/** One of them, at random by weight. */
export function pickByWeight(random: SeededRandom, acts: readonly Act[]): Act {
  let at = random.below(acts.reduce((sum, [weight]) => sum + weight, 0))
  return acts.find(([weight]) => {
    at -= weight
    return at < 0
  })!
}
