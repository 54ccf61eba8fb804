import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'

describeCometStateProvider('SqliteCometStateProvider', {
  create() {
    let nowMs = Date.UTC(2030, 0)
    const folder = mkdtempSync(join(tmpdir(), 'koa-comet-sqlite-'))
    return {
      createProvider: () => new SqliteCometStateProvider(join(folder, 'channel.db'), { now: () => nowMs }),
      advance(seconds) {
        nowMs += seconds * 1000
      },
      dispose: () => rmSync(folder, { recursive: true }),
    }
  },
  describe,
  test,
  without: ['crash', 'interruptions'],
  modelCheck: {
    steps: 1000,
    onPass: (report) => process.stdout.write(`model check: ${JSON.stringify(report)}\n`),
  },
})
