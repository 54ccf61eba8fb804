import { describe, expect, test } from '@jest/globals'
import { BROKEN_DURABLE_PROVIDERS } from './broken-durable-providers.ts'
import { BROKEN_PROVIDERS, createStorage, WITHOUT } from './broken-providers.ts'
import { failuresOf } from './collecting-runner.ts'
import { createDurableStorage } from './durable-store.ts'

const MODEL_CHECK = /^random histories agree with the model/

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

  test.each([...BROKEN_PROVIDERS, ...BROKEN_DURABLE_PROVIDERS])(
    'finds the provider that $name by the rule: $rule',
    async ({ rule, create, without = [], hangs, failsNothingElse }) => {
      const failures = await failuresOf({
        create,
        without,
        modelCheck: { steps: hangs ? 0 : 100 },
        ...(hangs && { settleSeconds: 0.2 }),
      })
      expect([...failures.keys()]).toContain(rule)
      expect(failures.get(rule)).toMatchObject({ code: 'ERR_ASSERTION' })
      const rules = [...failures.keys()].filter((sentence) => !MODEL_CHECK.test(sentence))
      if (failsNothingElse) expect(rules).toEqual([rule])
    },
  )
})
