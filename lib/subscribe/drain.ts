/** How often some are ended. */
const STEP_MS = 50

/** What can be taken out while it is visited. */
type Things<T> = Iterable<T> & { readonly size: number }

/**
 * Ends things evenly over a time, so that those who had them do not come back together. Resolves when none is left.
 * @param things those that end by themselves meanwhile leave it, and none is added
 * @param end takes one out
 */
export async function drain<T>(things: Things<T>, overMs: number, end: (thing: T) => void): Promise<void> {
  const endsAt = performance.now() + overMs
  while (things.size > 0) {
    const steps = Math.max(1, Math.ceil((endsAt - performance.now()) / STEP_MS))
    endSome(things, Math.ceil(things.size / steps), end)
    if (things.size > 0) await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}

function endSome<T>(things: Things<T>, count: number, end: (thing: T) => void): void {
  let left = count
  for (const thing of things) {
    if (left === 0) return
    left -= 1
    end(thing)
  }
}
