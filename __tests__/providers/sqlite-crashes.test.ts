import { afterAll, beforeAll, describe, test } from '@jest/globals'
import { ProviderNodes } from '../../providers/contract/provider-nodes.ts'
import type { Rule } from '../../providers/contract/rule.ts'
import { rulesOfCrashedGroups } from '../../providers/contract/rules-of-crashed-groups.ts'
import { rulesOfCrashes } from '../../providers/contract/rules-of-crashes.ts'
import { bundled, type Program } from './sqlite-child-process.ts'
import { ProviderProcess } from './sqlite-processes.ts'
import { SqliteStore } from './sqlite-store.ts'

/** The suite's own rules, with nodes that are processes and die by SIGKILL. */
describe('SqliteCometStateProvider under kill -9', () => {
  let program: Program

  beforeAll(async () => {
    program = await bundled('sqlite-process.ts')
  })

  afterAll(() => program.remove())

  const rule: Rule = (sentence, body) => {
    test(sentence, async () => {
      const store = new SqliteStore()
      const { file } = store
      const nodes = new ProviderNodes({
        createProvider: () => ProviderProcess.start(program, { file }),
        faults: { crash: (provider) => (provider as ProviderProcess).kill() },
        dispose: () => store.dispose(),
      })
      try {
        await body(nodes)
        nodes.assertSound()
      } finally {
        await nodes.dispose()
      }
    })
  }
  rulesOfCrashes(rule)
  rulesOfCrashedGroups(rule)
})
