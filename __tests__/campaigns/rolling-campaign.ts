import { setTimeout as pause } from 'node:timers/promises'
import { Cluster, type ClusterOptions } from './cluster.ts'
import type { NodeEnd } from './cluster-orders.ts'
import type { PageFacts } from './cluster-page-facts.ts'
import { ClusterPages, type PageHabits } from './cluster-pages.ts'
import { checkCluster, figuresOf, type PageFigures } from './cluster-report.ts'
import { comeToRest } from './cluster-rest.ts'
import type { RequestCounts } from './cluster-traffic.ts'
import { machineMs } from './machine-clock.ts'
import type { Problem, Problems } from './problems.ts'

const SLOT_MS = 500

/** Of the streams that a node ends, so many of a hundred may be ended together; a few may meet anywhere. */
const TOGETHER_PERCENT = 10
const FEW = 2

/** How long streams take to come back after the last was ended. */
const RETURN_MS = 1000

export interface RollingOptions extends ClusterOptions {
  readonly habits: PageHabits
  /** For each time that all nodes are replaced: how long each takes to send its pages away. */
  readonly rounds: readonly number[]
  /** Ends it after the round under way. */
  readonly signal?: AbortSignal
  /** Called after each replacement. */
  readonly progress?: (replacements: number) => void
}

/** How a node was replaced. */
export interface Replacement extends NodeEnd {
  readonly overSeconds: number
  /** How many streams were asked for meanwhile, and how many in half a second at most. */
  readonly asked: number
  readonly fullest: number
}

export interface RollingReport extends PageFigures {
  readonly problems: Problems
  readonly messages: number
  readonly requests: RequestCounts
  readonly requestsByPlace: readonly number[]
  readonly replacements: readonly Replacement[]
}

/** Whether pages were sent away together, so that they come back together. */
export function isStampede({ streams, mostAtOnce }: NodeEnd): boolean {
  return mostAtOnce > FEW + (streams * TOGETHER_PERCENT) / 100
}

/** Replaces all nodes of a cluster one by one, as a deployment does, while pages use them. */
export async function rollingCampaign(options: RollingOptions): Promise<RollingReport> {
  const cluster = await Cluster.start(options)
  const pages = new ClusterPages(cluster.url, options.seed, options.habits)
  const replacements: Replacement[] = []
  try {
    await pages.come()
    cluster.tellPages(pages.publicTokens)
    for (const overSeconds of options.rounds) {
      for (let place = 0; place < options.nodes; place += 1) {
        replacements.push(await replace(cluster, place, overSeconds))
        options.progress?.(replacements.length)
      }
      if (options.signal?.aborted) break
    }
    const rest = await comeToRest(cluster, pages, false)
    const problems = checkCluster(rest)
    problems.add(...problemsShown(rest.present.map(({ facts }) => facts)))
    const { traffic, facts, requestsByPlace } = cluster
    const { requests } = traffic
    return {
      problems,
      messages: facts.messages.size,
      ...figuresOf(rest),
      requests,
      requestsByPlace,
      replacements,
    }
  } finally {
    pages.close()
    await cluster.end()
  }
}

async function replace(cluster: Cluster, place: number, overSeconds: number): Promise<Replacement> {
  cluster.prepareNode()
  await cluster.bypass(place)
  const beganMs = machineMs()
  const end = await cluster.closeNode(place, overSeconds)
  await pause(RETURN_MS)
  const { streamsAtMs } = cluster.traffic
  const bySlot = new Map<number, number>()
  for (const atMs of streamsAtMs.filter((each) => each >= beganMs)) {
    const slot = Math.floor((atMs - beganMs) / SLOT_MS)
    bySlot.set(slot, (bySlot.get(slot) ?? 0) + 1)
  }
  const counts = [...bySlot.values()]
  await cluster.startNode(place)
  return {
    overSeconds,
    ...end,
    asked: counts.reduce((sum, count) => sum + count, 0),
    fullest: Math.max(0, ...counts),
  }
}

/** What users would have seen of it. */
export function problemsShown(
  pages: readonly Pick<PageFacts, 'failures' | 'disconnections' | 'resets'>[],
): Problem[] {
  return pages.flatMap(({ failures, disconnections, resets }) => [
    ...failures.map((text) => ({ kind: 'failed', text }) as const),
    ...resets.map(({ reason }) => ({ kind: 'reset', text: `a page was told ${reason}` }) as const),
    ...(disconnections > 0 ? [{ kind: 'failed', text: 'a page was disconnected' } as const] : []),
  ])
}
