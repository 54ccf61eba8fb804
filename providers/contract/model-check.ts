import assert from 'node:assert/strict'
import { runHistory } from './history.ts'
import type { ProviderStorage } from './provider-storage.ts'
import { SeededRandom } from './seeded-random.ts'
import { shrink } from './shrink.ts'
import { randomSteps, type Step } from './steps.ts'

export interface ModelCheckOptions {
  /**
   * A whole number that decides all that is random. A failure names the one it happens with. Default: the environment
   * variable `COMET_CONTRACT_SEED`, else the time in milliseconds.
   */
  readonly seed?: number
  /** How many random steps are done in all, in histories of 100. Default 3,000. */
  readonly steps?: number
  /** Called when all went well. Default: nothing is said. */
  readonly onPass?: (report: ModelCheckReport) => void
}

/** What a model check did. */
export interface ModelCheckReport {
  readonly seed: number
  readonly histories: number
  readonly steps: number
}

type Create = () => ProviderStorage | Promise<ProviderStorage>

const DEFAULT_STEPS = 3000
const STEPS_OF_A_HISTORY = 100

/** Runs random histories, each with its own seed. Fails with the first that differs from the model, made short. */
export async function modelCheck(create: Create, options: ModelCheckOptions): Promise<void> {
  const { steps = DEFAULT_STEPS, seed = Number(process.env.COMET_CONTRACT_SEED ?? Date.now()) } = options
  assert.ok(Number.isSafeInteger(seed), `the seed must be a whole number, not ${seed}`)
  const histories = Math.ceil(steps / STEPS_OF_A_HISTORY)
  for (let index = 0; index < histories; index += 1) await checkHistory(create, seed + index)
  options.onPass?.({ seed, histories, steps: histories * STEPS_OF_A_HISTORY })
}

async function checkHistory(create: Create, seed: number): Promise<void> {
  const storage = await create()
  const history = randomSteps(new SeededRandom(seed), STEPS_OF_A_HISTORY, storage.advance !== undefined)
  const failure = await failureOf(history, storage)
  if (failure === undefined) return
  const fails = async (steps: readonly Step[]) => (await failureOf(steps, await create())) !== undefined
  const shortest = await shrink(history, fails)
  const cause = (await failureOf(shortest, await create())) ?? failure
  throw new Error(describeFailure(seed, shortest, cause), { cause })
}

async function failureOf(steps: readonly Step[], storage: ProviderStorage): Promise<unknown> {
  try {
    await runHistory(steps, storage)
    return undefined
  } catch (error) {
    return error ?? new Error('something failed without an error')
  }
}

function describeFailure(seed: number, steps: readonly Step[], cause: unknown): string {
  const lines = steps.map((step, index) => `  ${index + 1}. ${JSON.stringify(step)}`)
  return [
    `The store differs from the model after these ${steps.length} steps (COMET_CONTRACT_SEED=${seed}):`,
    ...lines,
    cause instanceof Error ? cause.message : String(cause),
  ].join('\n')
}
