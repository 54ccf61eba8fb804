/** Below the time of a test, so that the wait ends before and says where it was. */
const LIMIT_MS = 40_000

/**
 * Resolves as soon as the condition holds; looks after each turn of the event loop. Rejects after 40 s, which a fake
 * clock does not change: a wait that went on after its test would keep the process from ending.
 */
export async function eventually(condition: () => boolean): Promise<void> {
  const { stack } = new Error('was waited for')
  const giveUpAt = process.hrtime.bigint() + BigInt(LIMIT_MS) * 1_000_000n
  while (!condition()) {
    if (process.hrtime.bigint() > giveUpAt)
      throw new Error(`not within ${LIMIT_MS} ms: ${condition}\n${stack}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
