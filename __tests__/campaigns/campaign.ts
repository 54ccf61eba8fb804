import { parseArgs } from 'node:util'
import { clusterCampaign } from './cluster-campaign.ts'
import { withStore } from './cluster-fresh-store.ts'
import { contendCampaign } from './contend-campaign.ts'
import { drainCampaign, isStampede } from './drain-campaign.ts'
import { faultsCampaign } from './faults-campaign.ts'
import { killCampaign } from './kill-campaign.ts'
import { powerCampaign } from './power-campaign.ts'
import type { Problems } from './problems.ts'
import { whyNoRecorder } from './recorder.ts'
import { isStampede as isRollingStampede, rollingCampaign } from './rolling-campaign.ts'
import { serveCampaign } from './serve-campaign.ts'

/**
 * The campaigns at full length. Prints what was tried and how often it hit; ends with 1 if there is a problem. Control-C
 * ends one early.
 */

const USAGE = `Which campaign?
  npm run campaign -- kill    [--cycles 10000] [--workers 2] [--seed n]
  npm run campaign -- serve   [--cycles 1000]  [--workers 2] [--seed n]
  npm run campaign -- contend [--rounds 20000] [--seed n]
  npm run campaign -- power   [--images 20000] [--workers 2] [--seed n]
  npm run campaign -- drain   [--pages 2000] [--seed n]
  npm run campaign -- faults  [--deliveries 1000000] [--faults 50000] [--pages 400] [--seed n]
  npm run campaign -- cluster [--kills 300 | --minutes n] [--pages 30] [--store redis | sqlite] [--seed n]
  npm run campaign -- rolling [--times 20] [--pages 60] [--store redis | sqlite] [--seed n]`

const PROGRESS_MS = 60_000

const DRAIN_SECONDS = 10
const ROLLING_SECONDS = 4

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cycles: { type: 'string' },
    rounds: { type: 'string' },
    images: { type: 'string' },
    deliveries: { type: 'string' },
    faults: { type: 'string' },
    pages: { type: 'string' },
    kills: { type: 'string' },
    minutes: { type: 'string' },
    times: { type: 'string' },
    store: { type: 'string' },
    workers: { type: 'string' },
    seed: { type: 'string' },
  },
})

const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const workers = Number(values.workers ?? 2)
const storeKind = values.store === 'sqlite' ? 'sqlite' : 'redis'

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
  drain,
  cluster,
  rolling,
  faults: async () =>
    tried(
      await faultsCampaign({
        seed,
        deliveries: Number(values.deliveries ?? 1_000_000),
        faults: Number(values.faults ?? 50_000),
        reloads: 1000,
        pages: Number(values.pages ?? 400),
        longestLifeMs: 8000,
        publish: { longestPauseMs: 800, mostAtOnce: 4 },
        signal,
        progress,
      }),
    ),
}

/** Nodes of three that are killed, and others that are closed in order. */
function cluster(): Promise<Tried> {
  return withStore(storeKind, async (store) =>
    tried(
      await clusterCampaign({
        seed,
        store,
        nodes: 3,
        ends: Number(values.kills ?? 300),
        deliveries: 0,
        forMs: values.minutes === undefined ? undefined : Number(values.minutes) * 60_000,
        longestLifeMs: 3000,
        habits: {
          pages: Number(values.pages ?? 30),
          longestPauseMs: 2000,
          reloads: true,
          departures: 6,
          departurePercent: 2,
        },
        publish: { longestPauseMs: 300, mostAtOnce: 4 },
        signal,
        progress,
      }),
    ),
  )
}

/** All three nodes slowly, so many times, and then each at once, which shows that a stampede would be noticed. */
function rolling(): Promise<Tried> {
  return withStore(storeKind, async (store) => {
    const times = Number(values.times ?? 20)
    const { problems, ...figures } = await rollingCampaign({
      seed,
      store,
      nodes: 3,
      rounds: [...Array.from({ length: times }, () => ROLLING_SECONDS), 0],
      habits: {
        pages: Number(values.pages ?? 60),
        longestPauseMs: 4000,
        reloads: false,
        departures: 0,
        departurePercent: 0,
      },
      publish: { longestPauseMs: 300, mostAtOnce: 3 },
      signal,
      progress,
    })
    for (const each of figures.replacements) {
      if (isRollingStampede(each) !== (each.overSeconds === 0))
        problems.add({
          kind: 'failed',
          text: `${each.mostAtOnce} were ended at once, over ${each.overSeconds} s`,
        })
    }
    return { problems, figures }
  })
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

/** Two nodes go slowly, and then one at once, which shows that a stampede would be noticed. */
async function drain(): Promise<Tried> {
  const clients = Number(values.pages ?? 2000)
  const drains = [DRAIN_SECONDS, DRAIN_SECONDS, 0]
  const { problems, ...figures } = await drainCampaign({ seed, clients, drains, noticedAfterMs: 500 })
  for (const each of figures.drains) {
    if (isStampede(each, DRAIN_SECONDS) !== (each.overSeconds === 0))
      problems.add({ kind: 'failed', text: `${each.fullest} came at once, over ${each.overSeconds} s` })
  }
  return { problems, figures }
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
