import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CampaignChild } from './campaign-child.ts'
import type { RoundOrder, RoundReport } from './power-round.ts'
import { Problems } from './problems.ts'
import { compileRecorder } from './recorder.ts'

const DEFAULT_STEPS = 300
const DEFAULT_IMAGES_PER_ROUND = 500

export interface PowerOptions {
  readonly seed: number
  readonly durability: 'full' | 'normal'
  readonly images: number
  /** How many images are made of one recording. Default 500. */
  readonly imagesPerRound?: number
  /** How much is recorded. Default 300 steps. */
  readonly steps?: number
  /** How many are recorded and looked at side by side. Default 1. */
  readonly workers?: number
  /** Whether the disk takes a sync for nothing, to see that losses are noticed. Default false. */
  readonly ignoresSync?: boolean
  /** Ends it after the rounds under way. */
  readonly signal?: AbortSignal
  /** Called after each round. */
  readonly progress?: (images: number, problems: Problems) => void
}

type Counts = { -readonly [K in keyof Omit<RoundReport, 'problems' | 'told'>]: number }

export type PowerReport = Readonly<Counts> & { readonly problems: Problems }

/** Cuts the power of a recorded provider at random points, and looks at what it finds afterwards. Needs a recorder. */
export async function powerCampaign(options: PowerOptions): Promise<PowerReport> {
  const { images, imagesPerRound = DEFAULT_IMAGES_PER_ROUND, workers = 1, progress } = options
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-power-'))
  const problems = new Problems()
  const counts: Counts = {
    writes: 0,
    syncs: 0,
    acknowledged: 0,
    images: 0,
    unsynced: 0,
    lost: 0,
    newEpochs: 0,
  }
  let planned = 0
  const work = async (library: string): Promise<void> => {
    while (planned < images && !options.signal?.aborted) {
      const round = planned / imagesPerRound
      planned += imagesPerRound
      const report = await runRound({
        library,
        folder: join(folder, `round-${round}`),
        durability: options.durability,
        seed: options.seed + round,
        steps: options.steps ?? DEFAULT_STEPS,
        images: Math.min(imagesPerRound, images - round * imagesPerRound),
        ignoresSync: options.ignoresSync ?? false,
      })
      for (const key of Object.keys(counts) as (keyof Counts)[]) counts[key] += report[key]
      problems.addFound(report.problems, report.told)
      progress?.(counts.images, problems)
    }
  }
  try {
    const library = compileRecorder(folder)
    await Promise.all(Array.from({ length: workers }, () => work(library)))
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { problems, ...counts }
}

async function runRound(order: RoundOrder): Promise<RoundReport> {
  const child = new CampaignChild<RoundReport>('power-round')
  let report: RoundReport | undefined
  child.listen((said) => {
    report = said
  })
  child.tell(order)
  await child.until(() => report !== undefined)
  await child.ended
  rmSync(order.folder, { recursive: true })
  return report!
}
