import { expect, test } from '@jest/globals'
import { TimeIsUp, within } from '../../providers/redis/time-limit.ts'

const never = new Promise<never>(() => {})

/** How many milliseconds before its end it was given up; 0 or less: not before. */
async function earlyMs(forMs: number): Promise<number> {
  const endsAt = performance.now() + forMs
  await expect(within(endsAt, never)).rejects.toThrow(TimeIsUp)
  return endsAt - performance.now()
}

test('Nothing is given up before its time is over: the server would still do it', async () => {
  // Where in a millisecond it begins, and how much of one it takes, differs each time.
  for (let index = 0; index < 100; index++) expect(await earlyMs(2 + index / 100)).toBeLessThanOrEqual(0)
})

test('What is over already is given up at once', async () => {
  await expect(within(performance.now() - 1000, never)).rejects.toThrow(TimeIsUp)
})
