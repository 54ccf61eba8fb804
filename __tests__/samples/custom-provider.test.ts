import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, jest, test } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { FileCometStateProvider } from '../../samples/custom-provider/file-comet-state-provider.ts'
import { failingDisk, fullDisk } from './broken-disk.ts'

// The model check waits for the disk a few thousand times.
jest.setTimeout(60_000)

describeCometStateProvider('FileCometStateProvider', {
  async create() {
    let nowMs = 0
    const folder = await mkdtemp(join(tmpdir(), 'comet-files-'))
    return {
      createProvider: () => new FileCometStateProvider(folder, { now: () => nowMs, shortenAfterBytes: 1000 }),
      advance(seconds) {
        nowMs += seconds * 1000
      },
      faults: {
        // Closing writes nothing: for the files it is what dying is.
        crash: (provider) => provider.close(),
        interruptions: [fullDisk(), failingDisk()],
      },
      dispose: () => rm(folder, { recursive: true }),
    }
  },
  describe,
  test,
})
