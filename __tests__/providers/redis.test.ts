import { afterAll, describe } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { ContractStorage } from '../support/redis/contract-storage.ts'
import { testWithRedis } from '../support/redis/redis-available.ts'
import { disposeSharedServer, RedisStore, sharedServer } from '../support/redis/redis-store.ts'

/** Half of what a manager gives: a store that fails is waited for again and again here. */
const TIMEOUT_SECONDS = 2

/** A rule of interruptions waits for each of four. */
const TEST_TIMEOUT_MS = 120_000

afterAll(disposeSharedServer)

describeCometStateProvider('RedisCometStateProvider', {
  create: async () => new ContractStorage(new RedisStore(await sharedServer()), TIMEOUT_SECONDS),
  describe,
  test: (name, body) => testWithRedis(name, body, TEST_TIMEOUT_MS),
  modelCheck: {
    steps: 300,
    onPass: (report) => process.stdout.write(`model check: ${JSON.stringify(report)}\n`),
  },
})
