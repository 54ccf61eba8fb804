import { renameSync } from 'node:fs'
import { describe, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { ProviderNodes } from '../../providers/contract/provider-nodes.ts'
import type { Interruption } from '../../providers/contract/provider-storage.ts'
import { rulesOfInterruptions } from '../../providers/contract/rules-of-interruptions.ts'
import { SqliteStore } from './sqlite-store.ts'

/** The suite's own rules, with a file that cannot be written for a time, and one that is away. */
describe('SqliteCometStateProvider, interrupted,', () => {
  rulesOfInterruptions((sentence, body) => {
    test(sentence, async () => {
      const store = new SqliteStore()
      const nodes = new ProviderNodes({
        createProvider: () => store.node({ lockTimeoutSeconds: 0.2 }).provider,
        faults: { interruptions: [locked(store), away(store)] },
        dispose: () => store.dispose(),
      })
      try {
        await body(nodes)
        nodes.assertSound()
      } finally {
        await nodes.dispose()
      }
    })
  })
})

function locked({ file }: SqliteStore): Interruption {
  let rival: Database.Database | undefined
  return {
    name: 'another connection has the write lock',
    cutsOff: false,
    begin() {
      rival = new Database(file)
      rival.exec('BEGIN IMMEDIATE')
    },
    end() {
      rival?.close()
    },
  }
}

/** With all that is beside it: a new file must not get the old one's log. */
function away({ folder }: SqliteStore): Interruption {
  return {
    name: 'the folder is away',
    cutsOff: true,
    begin: () => renameSync(folder, `${folder}-away`),
    end: () => renameSync(`${folder}-away`, folder),
  }
}
