import assert from 'node:assert/strict'
import { runHistory } from './history.ts'
import { DEFAULT_SETTLE_SECONDS } from './provider-nodes.ts'
import type { ProviderStorage } from './provider-storage.ts'
import { randomSteps } from './random-steps.ts'
import { SeededRandom } from './seeded-random.ts'
import { shrinkHistory } from './shrink-history.ts'
import type { Step } from './steps.ts'

export interface ModelCheckOptions {
  /**
   * A whole number that decides all that is random. A failure names the one it happens with. Default: the environment
   * variable `COMET_CONTRACT_SEED`, else the time in milliseconds.
   */
  readonly seed?: number
  /** How many random steps are done in all, in histories of 100: 1 or more. Default 3,000. */
  readonly steps?: number
  /** Called when all went well. Default: nothing is said. */
  readonly onPass?: (report: ModelCheckReport) => void
}

/** What a model check did. */
export interface ModelCheckReport {
  readonly seed: number
  readonly histories: number
  readonly steps: number
  /** Steps in which several calls were made at once. */
  readonly races: number
  readonly restarts: number
  readonly crashes: number
  readonly interruptions: number
}

type Create = () => ProviderStorage | Promise<ProviderStorage>

const DEFAULT_STEPS = 3000
const STEPS_OF_A_HISTORY = 100

/** Runs random histories, each with its own seed. Fails with the first that differs from the model, made short. */
export async function modelCheck(
  create: Create,
  options: ModelCheckOptions,
  settleSeconds = DEFAULT_SETTLE_SECONDS,
): Promise<void> {
  const { steps = DEFAULT_STEPS, seed = Number(process.env.COMET_CONTRACT_SEED ?? Date.now()) } = options
  assert.ok(Number.isSafeInteger(seed), `the seed must be a whole number, not ${seed}`)
  const histories = Math.ceil(steps / STEPS_OF_A_HISTORY)
  const done: Step[] = []
  for (let index = 0; index < histories; index += 1) {
    const length = Math.min(STEPS_OF_A_HISTORY, steps - done.length)
    done.push(...(await checkHistory(create, seed + index, length, settleSeconds)))
  }
  options.onPass?.({ seed, histories, ...countsOf(done) })
}

function countsOf(done: readonly Step[]): Omit<ModelCheckReport, 'seed' | 'histories'> {
  const count = (counts: (step: Step) => boolean) => done.filter(counts).length
  return {
    steps: done.length,
    races: count((step) => 'calls' in step && step.calls.length > 1),
    restarts: count(({ step }) => step === 'restart'),
    crashes: count(({ step }) => step === 'crash'),
    interruptions: count(({ step }) => step === 'interrupt'),
  }
}

/** Answers with the steps that were done. */
async function checkHistory(
  create: Create,
  seed: number,
  length: number,
  settleSeconds: number,
): Promise<readonly Step[]> {
  const storage = await create()
  const history = randomSteps(new SeededRandom(seed), length, storage)
  const failure = await failureOf(history, storage, settleSeconds)
  if (failure === undefined) return history
  let cause = failure
  const shortest = await shrinkHistory(history, async (steps) => {
    const shorterFailure = await failureOf(steps, await create(), settleSeconds)
    cause = shorterFailure ?? cause
    return shorterFailure !== undefined
  })
  throw new Error(describeFailure(seed, shortest, cause), { cause })
}

async function failureOf(
  steps: readonly Step[],
  storage: ProviderStorage,
  settleSeconds: number,
): Promise<unknown> {
  try {
    await runHistory(steps, storage, settleSeconds)
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
