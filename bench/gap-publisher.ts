import type { CometStateManager } from 'koa-comet'

/** A message as it was published. */
export interface Published {
  readonly id: number
  /** Whether no request was held for its client from before it was sent until it was stored. */
  readonly inGap: boolean
}

/** What ends the page's part. */
export const GAPS_ARE_OVER = 'GapsAreOver'

const MOST_IN_ONE_GAP = 4
const MOST_TURNS = 16

/**
 * Publishes to the only client of a channel until `count` messages have met a gap: the time between the answer of a
 * poll and the next. One message ends a held poll; a few follow while none is held; then nothing until one is held
 * again, so that a message that missed its poll has nothing to hide behind.
 */
export async function publishIntoGaps(channel: CometStateManager, count: number): Promise<Published[]> {
  const published: Published[] = []
  const isHeld = () => channel.stats().heldRequests > 0
  const publish = async (): Promise<boolean> => {
    const wasHeld = isHeld()
    const id = await channel.sendMessage('Gap')
    // Whoever was held when it was stored is held still: what one turn wakes is answered at the end of it.
    const inGap = !wasHeld && !isHeld()
    published.push({ id, inGap })
    return inGap
  }
  let inGaps = 0
  for (let round = 0; inGaps < count; round++) {
    while (!isHeld()) await nextTurn()
    await publish()
    while (isHeld()) await nextTurn()
    // Each round at another moment of the gap.
    for (let turn = 0; turn < round % MOST_TURNS; turn++) await nextTurn()
    for (let more = round % MOST_IN_ONE_GAP; more >= 0; more--) if (await publish()) inGaps += 1
  }
  await channel.sendMessage(GAPS_ARE_OVER)
  return published
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
