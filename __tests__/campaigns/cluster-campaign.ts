import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { NodeEnds } from './cluster-ends.ts'
import { ClusterPages, type PageHabits } from './cluster-pages.ts'
import { checkCluster, figuresOf, type PageFigures } from './cluster-report.ts'
import { comeToRest } from './cluster-rest.ts'
import type { RequestCounts } from './cluster-traffic.ts'
import { machineMs } from './machine-clock.ts'
import type { Problems } from './problems.ts'

const LOOK_AGAIN_MS = 50

export interface ClusterCampaignOptions extends ClusterOptions {
  readonly habits: PageHabits
  /** It goes on until so many nodes have ended, of themselves or not, and messages were handed out so often. */
  readonly ends: number
  readonly deliveries: number
  /** How long all nodes live at most until one of them ends. */
  readonly longestLifeMs: number
  /** Instead: ends after this time. */
  readonly forMs?: number | undefined
  /** Ends it early. */
  readonly signal?: AbortSignal
  /** Called now and then. */
  readonly progress?: (ends: number) => void
}

export interface ClusterReport extends PageFigures {
  readonly problems: Problems
  readonly messages: number
  readonly kills: number
  readonly closes: number
  readonly restarts: number
  /** Requests that were under way to nodes that were killed. */
  readonly cut: RequestCounts
  readonly totalCut: number
  readonly requests: RequestCounts
  readonly requestsByPlace: readonly number[]
}

/** Pages of nodes that are killed, closed and started again, behind a balancer that picks a node for each request. */
export async function clusterCampaign(options: ClusterCampaignOptions): Promise<ClusterReport> {
  const cluster = await Cluster.start(options)
  const pages = new ClusterPages(cluster.url, options.seed, options.habits)
  const ends = new NodeEnds(cluster, options.nodes, new SeededRandom(options.seed))
  try {
    await pages.come()
    const ending = ends.run(
      options.forMs === undefined ? options.ends : Number.POSITIVE_INFINITY,
      options.longestLifeMs,
    )
    const beganMs = machineMs()
    while (goesOn()) {
      cluster.tellPages(pages.publicTokens)
      options.progress?.(ends.ends)
      await pause(LOOK_AGAIN_MS)
    }
    await ends.rest()
    await ending
    const rest = await comeToRest(cluster, pages, ends.ends + pages.gone.length > 0)
    const { traffic, facts, requestsByPlace } = cluster
    return {
      problems: checkCluster(rest),
      messages: facts.messages.size,
      ...figuresOf(rest),
      kills: ends.kills,
      closes: ends.closes,
      restarts: ends.restarts,
      cut: traffic.cut,
      totalCut: Object.values(traffic.cut).reduce((sum, count) => sum + count, 0),
      requests: traffic.requests,
      requestsByPlace,
    }

    function goesOn(): boolean {
      if (options.signal?.aborted || ends.hasFailed) return false
      if (options.forMs !== undefined) return machineMs() - beganMs < options.forMs
      return ends.ends < options.ends || pages.deliveries < options.deliveries
    }
  } finally {
    pages.close()
    await ends.rest().catch(() => {})
    await cluster.end()
  }
}
