import assert from 'node:assert/strict'
import type { ProviderSupports } from '../../lib/comet-state-provider.ts'
import type { Rule } from './rule.ts'

const isSafeCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0

/** All that `supports` can have, and what each may be. */
const SUPPORTS: Record<keyof ProviderSupports, { must: string; holds: (value: unknown) => boolean }> = {
  processes: { must: "be 'one' or 'many'", holds: (value) => value === 'one' || value === 'many' },
  durable: { must: 'be true or false', holds: (value) => typeof value === 'boolean' },
  followDelayMs: {
    must: 'be a number from 0 on',
    holds: (value) => Number.isFinite(value) && Number(value) >= 0,
  },
  maxBatchBytes: {
    must: 'be a whole number above 0, or absent',
    holds: (value) => value === undefined || isSafeCount(value),
  },
  transactions: {
    must: 'be true, false or absent',
    holds: (value) => value === undefined || typeof value === 'boolean',
  },
}

export function rulesOfSupports(rule: Rule): void {
  rule('What a provider supports is said as data, before it is opened', async ({ create, reopen }) => {
    const node = await create()
    const before: unknown = node.provider.supports
    assert.ok(typeof before === 'object' && before !== null, `supports must be an object, not ${before}`)
    const unknown = Object.keys(before).filter((key) => !Object.hasOwn(SUPPORTS, key))
    assert.deepEqual(unknown, [], `supports can have ${Object.keys(SUPPORTS).join(', ')}`)
    for (const [key, { must, holds }] of Object.entries(SUPPORTS)) {
      const value: unknown = Reflect.get(before, key)
      assert.ok(holds(value), `supports.${key} must ${must}, not ${JSON.stringify(value)}`)
    }
    const copy = { ...before }
    await reopen(node)
    assert.deepEqual({ ...node.provider.supports }, copy, 'what is supported stays the same')
  })

  rule('There is sendWithin where supports.transactions says so, and only there', async ({ create }) => {
    const { supports, sendWithin } = (await create()).provider
    assert.equal(typeof sendWithin, supports.transactions === true ? 'function' : 'undefined')
  })
}
