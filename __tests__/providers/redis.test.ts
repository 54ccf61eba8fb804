import { afterAll, describe } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { ContractStorage } from '../support/redis/contract-storage.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { disposeSharedServer, RedisStore, sharedServer } from '../support/redis/redis-store.ts'

afterAll(disposeSharedServer)

describeCometStateProvider('RedisCometStateProvider', {
  create: async () => new ContractStorage(new RedisStore(await sharedServer())),
  describe,
  test,
  without: ['interruptions'],
  modelCheck: {
    steps: 500,
    onPass: (report) => process.stdout.write(`model check: ${JSON.stringify(report)}\n`),
  },
})
