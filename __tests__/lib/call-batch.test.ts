import { expect, test } from '@jest/globals'
import { CallBatch } from '../../lib/call-batch.ts'
import type { LeaseOutcome, LeaseRenewal } from '../../lib/comet-state-provider.ts'

function renewal(publicToken: string): LeaseRenewal {
  return {
    publicToken,
    generation: 1,
    holder: 'page',
    take: false,
    seconds: 10,
    returns: true,
    goodbye: false,
  }
}

test('The renewals of one turn are one call, and each gets its own answer', async () => {
  const calls: string[][] = []
  const batch = new CallBatch<LeaseRenewal, LeaseOutcome>(async (renewals) => {
    calls.push(renewals.map(({ publicToken }) => publicToken))
    return renewals.map(({ publicToken }): LeaseOutcome => (publicToken === 'bob' ? 'gone' : 'kept'))
  })
  expect(await Promise.all([batch.add(renewal('ann')), batch.add(renewal('bob'))])).toEqual(['kept', 'gone'])
  expect(await batch.add(renewal('cid'))).toBe('kept')
  expect(calls).toEqual([['ann', 'bob'], ['cid']])
})

test('A call that fails fails for all that are in it, and not for those of the next', async () => {
  let calls = 0
  const batch = new CallBatch<LeaseRenewal, LeaseOutcome>(async (renewals) => {
    calls += 1
    if (calls === 1) throw new Error('lost')
    return renewals.map(() => 'kept')
  })
  const settled = await Promise.allSettled([batch.add(renewal('ann')), batch.add(renewal('bob'))])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await batch.add(renewal('ann'))).toBe('kept')
})

test('Who is added while a call is under way is in the next', async () => {
  const calls: number[] = []
  let answer = (): void => undefined
  const batch = new CallBatch<LeaseRenewal, LeaseOutcome>(async (renewals) => {
    calls.push(renewals.length)
    if (calls.length === 1) await new Promise<void>((resolve) => (answer = resolve))
    return renewals.map(() => 'kept')
  })
  const first = batch.add(renewal('ann'))
  while (calls.length === 0) await new Promise(setImmediate)
  const next = Promise.all([batch.add(renewal('bob')), batch.add(renewal('cid'))])
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  // Not before the first is answered: answers that overtake each other would tell lies of who has a lease.
  expect(calls).toEqual([1])
  answer()
  expect(await first).toBe('kept')
  expect(await next).toEqual(['kept', 'kept'])
  expect(calls).toEqual([1, 2])
})

test('Too few answers are a failure for all: nobody knows whose they are', async () => {
  const batch = new CallBatch<LeaseRenewal, LeaseOutcome>(async () => ['kept'])
  const settled = await Promise.allSettled([batch.add(renewal('ann')), batch.add(renewal('bob'))])
  const failed = { reason: { code: 'COMET_PROVIDER_IS_UNAVAILABLE' } }
  expect(settled).toMatchObject([failed, failed])
})
