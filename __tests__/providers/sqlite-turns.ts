/** What happens in which turn of the event loop. */

export async function passTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

/** How much of what is counted comes in one turn, at most, while this happens. */
export async function mostInOneTurn(count: () => number, work: () => Promise<unknown>): Promise<number> {
  let most = 0
  let before = count()
  let isDone = false
  const done = work().finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise(setImmediate)
    const now = count()
    most = Math.max(most, now - before)
    before = now
  }
  await done
  return most
}
