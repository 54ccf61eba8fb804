import { parseArgs } from 'node:util'
import { contendCampaign } from './contend-campaign.ts'
import { killCampaign } from './kill-campaign.ts'
import { powerCampaign } from './power-campaign.ts'
import type { Problems } from './problems.ts'
import { whyNoRecorder } from './recorder.ts'
import { serveCampaign } from './serve-campaign.ts'

/**
 * The campaigns at full length. Prints what was tried and how often it hit; ends with 1 if there is a problem. Control-C
 * ends one early.
 */

const USAGE = `Which campaign?
  npm run campaign -- kill    [--cycles 10000] [--workers 2] [--seed n]
  npm run campaign -- serve   [--cycles 1000]  [--workers 2] [--seed n]
  npm run campaign -- contend [--rounds 20000] [--seed n]
  npm run campaign -- power   [--images 20000] [--workers 2] [--seed n]`

const PROGRESS_MS = 60_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cycles: { type: 'string' },
    rounds: { type: 'string' },
    images: { type: 'string' },
    workers: { type: 'string' },
    seed: { type: 'string' },
  },
})

const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const workers = Number(values.workers ?? 2)

const interruption = new AbortController()
const { signal } = interruption
process.once('SIGINT', () => interruption.abort())

interface Tried {
  readonly problems: Problems
  readonly figures: object
}

const campaigns: Readonly<Record<string, () => Promise<Tried>>> = {
  kill: async () =>
    tried(await killCampaign({ seed, cycles: Number(values.cycles ?? 10_000), workers, signal, progress })),
  serve: async () =>
    tried(await serveCampaign({ seed, cycles: Number(values.cycles ?? 1000), workers, signal, progress })),
  contend: async () => tried(await contendCampaign({ seed, rounds: Number(values.rounds ?? 20_000) })),
  power,
}

/** As many images of each durability: 'normal' shows that this disk loses what is not synced. */
async function power(): Promise<Tried> {
  const options = { seed, images: Number(values.images ?? 20_000), workers, signal, progress }
  const { problems, ...full } = await powerCampaign({ ...options, durability: 'full' })
  const { problems: ofNormal, ...normal } = await powerCampaign({ ...options, durability: 'normal' })
  problems.addFound(ofNormal.counts(), ofNormal.told())
  if (normal.lost === 0 && !signal.aborted)
    problems.add({ kind: 'failed', text: "durability 'normal' has lost nothing" })
  return { problems, figures: { full, normal } }
}

function tried({ problems, ...figures }: { readonly problems: Problems }): Tried {
  return { problems, figures }
}

let shownAt = performance.now()

/** Pages are looked at in the end: then there are no problems to tell of yet. */
function progress(done: number, problems?: Problems): void {
  if (performance.now() - shownAt < PROGRESS_MS) return
  shownAt = performance.now()
  console.log([new Date().toISOString(), done, problems].join(' '))
}

const [name = ''] = positionals
const campaign = campaigns[name]
if (!campaign) {
  console.error(USAGE)
  process.exit(1)
}
const why = name === 'power' && whyNoRecorder()
if (why) {
  console.error(`power: not tried, ${why}`)
  process.exit(1)
}
const startedAt = performance.now()
console.log(`${name}: seed ${seed}, Node ${process.version}`)
const { problems, figures } = await campaign()
console.log(JSON.stringify(figures))
console.log(`${name}: ${problems}, in ${Math.round((performance.now() - startedAt) / 1000)} s`)
process.exitCode = problems.total === 0 ? 0 : 1
