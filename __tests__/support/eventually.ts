/** Resolves as soon as the condition holds; looks after each turn of the event loop. The test's own timeout ends it. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
