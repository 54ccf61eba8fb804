/** A script for a page: `globalThis.skip(ms)` puts its clock on the wall forward, as the sleep of the machine does. */
export const MOVABLE_CLOCK = `{
  const now = Date.now
  let skippedMs = 0
  Date.now = () => now() + skippedMs
  globalThis.skip = (ms) => { skippedMs += ms }
}`
