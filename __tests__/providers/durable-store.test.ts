import { describe, test } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { createDurableStorage } from './durable-store.ts'

describeCometStateProvider('A durable provider whose store can fail', {
  create: () => createDurableStorage(),
  describe,
  test,
  modelCheck: {
    steps: 3_000,
    onPass: (report) => process.stdout.write(`model check: ${JSON.stringify(report)}\n`),
  },
})
