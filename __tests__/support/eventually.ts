/** Below the time of a test, so that the wait ends before and says where it was. */
const LIMIT_MS = 40_000

/** What has not come by so many turns takes its time: a look at each turn would take the processor from it. */
const LOOKS_AT_EACH_TURN = 100

/** The real one: a fake clock comes later. */
const { setTimeout } = globalThis

/**
 * Resolves as soon as the condition holds: looks after each turn of the event loop, later each millisecond. So it may
 * miss what holds for a moment only. Rejects after 40 s, which a fake clock does not change: a wait that went on after
 * its test would keep the process from ending.
 */
export async function eventually(condition: () => boolean): Promise<void> {
  const asked = new Error('was waited for')
  const giveUpAt = process.hrtime.bigint() + BigInt(LIMIT_MS) * 1_000_000n
  for (let looks = 0; !condition(); looks += 1) {
    if (process.hrtime.bigint() > giveUpAt)
      throw new Error(`not within ${LIMIT_MS} ms: ${condition}\n${asked.stack}`)
    await new Promise((resolve) => {
      if (looks < LOOKS_AT_EACH_TURN) setImmediate(resolve)
      else setTimeout(resolve, 1)
    })
  }
}
