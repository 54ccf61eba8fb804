import { describe, test } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { SqliteStore } from './sqlite-store.ts'

describeCometStateProvider("SqliteCometStateProvider of durability 'normal'", {
  create() {
    const store = new SqliteStore()
    return {
      createProvider: () => store.node({ durability: 'normal' }).provider,
      advance(seconds) {
        store.nowMs += seconds * 1000
      },
      dispose: () => store.dispose(),
    }
  },
  describe,
  test,
  // Those have tests of their own.
  without: ['crash', 'interruptions'],
  modelCheck: { steps: 200 },
})
