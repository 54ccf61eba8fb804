import assert from 'node:assert/strict'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { initialise, renewal } from './operations.ts'
import type { Rule } from './rule.ts'

/** A little more than the longest time between two sweeps that is nothing special. */
const GAP_SECONDS = 2 * SWEEP_PERIOD_SECONDS + 2

export function rulesOfUnsweptTime(rule: Rule): void {
  rule('Time in which nobody swept is added to every lease', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await here.initialise(initialise('ann', { leaseSeconds: 3 }))
    const bob = await here.initialise(initialise('bob'))
    await there.renew(renewal(bob, { seconds: 3, goodbye: true }))
    await pass(GAP_SECONDS)
    assert.deepEqual(await there.sweep(), [], 'nobody could be seen in between')
    assert.equal(await here.renew(renewal(ann)), 'kept')
    await pass(4)
    assert.deepEqual(await here.sweep(), ['bob'], 'once swept again, a lease runs on to its end')
  })

  rule('Time between two sweeps that came in time is not added', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    await here.append(initialise('ann', { leaseSeconds: SWEEP_PERIOD_SECONDS + 1 }))
    await pass(SWEEP_PERIOD_SECONDS - 1)
    assert.deepEqual(await there.sweep(), [])
    await pass(SWEEP_PERIOD_SECONDS - 1)
    assert.deepEqual(await here.sweep(), ['ann'], 'the sweep of any node counts')
  })
}
