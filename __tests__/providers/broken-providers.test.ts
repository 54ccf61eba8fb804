import { describe, expect, test } from '@jest/globals'
import { BROKEN_DURABLE_PROVIDERS } from './broken-durable-providers.ts'
import { BROKEN_MEMBERS } from './broken-members.ts'
import { BROKEN_PROVIDERS, type BrokenProvider, createStorage, WITHOUT } from './broken-providers.ts'
import { failureOf, failuresOf, type SuiteOptions } from './collecting-runner.ts'
import { createDurableStorage } from './durable-store.ts'

const MODEL_CHECK = /^random histories agree with the model/

const ALL_BROKEN = [...BROKEN_PROVIDERS, ...BROKEN_MEMBERS, ...BROKEN_DURABLE_PROVIDERS]

function suiteFor({ create, without = [], hangs }: BrokenProvider): SuiteOptions {
  return {
    create,
    without,
    modelCheck: { steps: hangs ? 1 : 100 },
    ...(hangs && { settleSeconds: 0.2 }),
  }
}

describe('The contract suite', () => {
  test('passes a sound provider', async () => {
    const failures = await failuresOf({
      create: () => createStorage(),
      without: WITHOUT,
      modelCheck: { steps: 500 },
    })
    expect([...failures.keys()]).toEqual([])
  })

  test('passes a sound provider whose store is durable, and fails at times', async () => {
    const failures = await failuresOf({ create: () => createDurableStorage(), modelCheck: { steps: 500 } })
    expect([...failures.keys()]).toEqual([])
  })

  test.each(ALL_BROKEN)('finds the provider that $name by the rule: $rule', async (broken) => {
    expect(await failureOf(suiteFor(broken), broken.rule)).toMatchObject({ code: 'ERR_ASSERTION' })
  })

  test.each(ALL_BROKEN.filter(({ failsNothingElse }) => failsNothingElse))(
    'finds nothing else in the provider that $name',
    async (broken) => {
      const failures = await failuresOf(suiteFor(broken))
      const rules = [...failures.keys()].filter((sentence) => !MODEL_CHECK.test(sentence))
      expect(rules).toEqual([broken.rule])
    },
  )

  test.each(ALL_BROKEN.filter(({ hangs }) => hangs))(
    'comes to its end, whichever call hangs, with the provider that $name',
    async (broken) => {
      const failures = await failuresOf(suiteFor(broken))
      expect([...failures.keys()]).toContain(broken.rule)
    },
  )
})
