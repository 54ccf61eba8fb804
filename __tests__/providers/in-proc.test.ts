import { describe, test } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'

describeCometStateProvider('InProcCometStateProvider', {
  create() {
    let nowMs = 0
    const storage = new InProcStorage(() => nowMs)
    return {
      createProvider: () => new InProcCometStateProvider({ storage }),
      advance(seconds) {
        nowMs += seconds * 1000
      },
      dispose: () => undefined,
    }
  },
  without: ['crash', 'interruptions'],
  describe,
  test,
  modelCheck: {
    steps: 3_000,
    onPass: (report) => process.stdout.write(`model check: ${JSON.stringify(report)}\n`),
  },
})
