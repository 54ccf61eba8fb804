/**
 * Leaves out of a failing list what it fails without: first halves, then ever smaller pieces, down to single items.
 * The result still fails. After `maxTries`, or 10 s, it stops with the smallest found so far.
 */
export async function shrink<T>(
  failing: readonly T[],
  fails: (shorter: readonly T[]) => Promise<boolean>,
  maxTries = 500,
): Promise<readonly T[]> {
  let smallest = failing
  let tries = 0
  const deadline = performance.now() + 10_000
  const isOver = () => tries >= maxTries || performance.now() > deadline
  for (let size = Math.ceil(smallest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < smallest.length && !isOver(); ) {
      tries += 1
      const shorter = smallest.toSpliced(start, size)
      if (await fails(shorter)) smallest = shorter
      else start += size
    }
  }
  return smallest
}
