import type { Cluster } from './cluster.ts'
import { removalDueMs } from './cluster-check-presence.ts'
import type { ClusterPages } from './cluster-pages.ts'
import { presenceOf, type Rest } from './cluster-report.ts'
import { machineMs } from './machine-clock.ts'
import { waitUntil } from './wait-until.ts'

/** Longer than a page pauses between several attempts. */
const CATCHING_UP_MS = 60_000

/** Longer than a client lives that was made, and whose page never heard of it. */
const ORPHAN_MS = 30_000

/**
 * Brings a cluster to rest: nothing is sent, who is gone was removed, and each page has all that was sent to it.
 *
 * @param isAnybodyGone else nobody has to be waited for
 */
export async function comeToRest(
  cluster: Cluster,
  pages: ClusterPages,
  isAnybodyGone: boolean,
): Promise<Rest> {
  await pages.rest()
  await cluster.silence()
  const { present, gone } = pages
  await waitUntil(() => present.every(({ isConnected }) => isConnected), CATCHING_UP_MS)
  const isAgreed = (): boolean => {
    const tokens = pages.publicTokens
    return tokens.length === cluster.log.clients.size && tokens.every((each) => cluster.log.clients.has(each))
  }
  const nowMs = machineMs()
  const dueMs = presenceOf({ cluster, present, gone })
    .filter(({ departure, removedMs }) => departure && removedMs === undefined)
    .map((each) => removalDueMs(each) - nowMs)
  if (isAnybodyGone) await waitUntil(isAgreed, Math.max(ORPHAN_MS, ...dueMs))
  const lists = await cluster.lists()
  const lastId = await cluster.sendLast()
  await waitUntil(() => present.every(({ position }) => position >= lastId), CATCHING_UP_MS)
  return { cluster, present, gone, lists, lastId }
}
