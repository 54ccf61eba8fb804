import { shrink } from './shrink.ts'
import type { Step } from './steps.ts'

/** Leaves out of a failing history the steps, and then of each step the calls, that it fails without. */
export async function shrinkHistory(
  failing: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let shortest = await shrink(failing, fails)
  for (const [index, step] of shortest.entries()) {
    if (!('calls' in step) || step.calls.length === 1) continue
    const withCalls = (calls: typeof step.calls) => shortest.with(index, { ...step, calls })
    const calls = await shrink(step.calls, (fewer) => fails(withCalls(fewer)))
    shortest = withCalls(calls)
  }
  return shortest
}
