import { describe, expect, test } from '@jest/globals'
import { BROKEN_PROVIDERS, createStorage } from './broken-providers.ts'
import { failuresOf } from './collecting-runner.ts'

describe('The contract suite', () => {
  test('passes a sound provider', async () => {
    const failures = await failuresOf({ create: () => createStorage(), modelCheck: { steps: 500 } })
    expect([...failures.keys()]).toEqual([])
  })

  test.each(BROKEN_PROVIDERS)(
    'finds the provider that $name by the rule: $rule',
    async ({ rule, create }) => {
      const failures = await failuresOf({ create, modelCheck: { steps: 100 } })
      expect([...failures.keys()]).toContain(rule)
      expect(failures.get(rule)).toMatchObject({ code: 'ERR_ASSERTION' })
      expect(failures.get(rule)).toMatchObject({ code: 'ERR_ASSERTION' })
    },
  )
})
