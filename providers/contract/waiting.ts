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

/** How often something waits for promises only, before it waits for whole turns, and at last for milliseconds. */
const WITHIN_A_TURN = 5
const BY_TURNS = 250

/** Ends also what never would. */
const MOST_REPETITIONS = 5000

/** Waits so many times for what is settled already, which is within one turn; from the sixth time on for turns. */
export async function moments(count: number): Promise<void> {
  for (let moment = 0; moment < Math.min(count, WITHIN_A_TURN); moment += 1) await undefined
  await turns(count - WITHIN_A_TURN)
}

/**
 * Does a step again and again, one after the other, while `goesOn` holds: without a pause at first, then a turn of the
 * event loop apart, at last a millisecond, so that some come between whatever happens meanwhile.
 */
export async function repeat(step: () => Promise<unknown>, goesOn: () => boolean): Promise<void> {
  for (let done = 0; done < MOST_REPETITIONS && goesOn(); done += 1) {
    await step()
    if (done >= BY_TURNS) await new Promise((resolve) => setTimeout(resolve, 1))
    else if (done >= WITHIN_A_TURN) await turns(1)
  }
}

/** Makes both calls at once, in every other round the second one first. */
export async function inTurn<A, B>(
  round: number,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  if (round % 2 === 0) return Promise.all([first(), second()])
  const [b, a] = await Promise.all([second(), first()])
  return [a, b]
}
