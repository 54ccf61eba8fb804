import { test } from '@jest/globals'
import { isRedisThere, redisRemedy } from './redis-binary.ts'

if (!isRedisThere) console.warn(redisRemedy)

/**
 * `test`, if there is a redis-server. Else the test is skipped, and the warning says how to get one; with CI=true it
 * fails, so that nobody takes a run without Redis for a good one.
 */
export const testWithRedis: (name: string, run: () => Promise<void>, timeoutMs?: number) => void =
  isRedisThere || process.env.CI === 'true' ? test : test.skip
