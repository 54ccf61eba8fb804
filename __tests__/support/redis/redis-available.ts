import { test } from '@jest/globals'
import { isRedisThere, redisRemedy } from './redis-binary.ts'

type Test = (name: string, run: () => Promise<void>, timeoutMs?: number) => void

if (!isRedisThere) console.warn(redisRemedy)

/**
 * `test`, if there is a redis-server. Else the test is skipped, and the warning says how to get one; with CI=true it
 * fails, so that nobody takes a run without Redis for a good one.
 */
export const testWithRedis: Test = runIfThere(test)

/** The same for tests of one file that run beside each other, since they mostly wait: they have no hooks in common. */
export const concurrentTestWithRedis: Test = runIfThere(test.concurrent)

function runIfThere(run: Test): Test {
  return isRedisThere || process.env.CI === 'true' ? run : test.skip
}
