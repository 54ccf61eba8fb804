import assert from 'node:assert/strict'

/** Polls until it holds; fails after so many seconds. For what a provider promises soon, but not when. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 3,
): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; !(await holds()); ) {
    assert.ok(performance.now() < deadline, `${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** How a call ended. Fails if it has not after so many seconds. */
export async function settled<T>(
  what: string,
  call: Promise<T>,
  seconds: number,
): Promise<PromiseSettledResult<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, undefined)
  })
  const result = await Promise.race([Promise.allSettled([call]), late])
  clearTimeout(timer)
  assert.ok(result, `${what} has not ended within ${seconds} s`)
  return result[0]
}

/** Lets the event loop go round so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
