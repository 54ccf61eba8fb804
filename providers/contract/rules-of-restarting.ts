import assert from 'node:assert/strict'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { hashOf, initialise, remove, renewal, send, stop } from './operations.ts'
import { AMPLE_RETENTION } from './provider-nodes.ts'
import type { Rule } from './rule.ts'

/** Longer than a store may go unswept without anything happening. */
const LONG_CLOSED_SECONDS = 2 * SWEEP_PERIOD_SECONDS + 5

/**
 * All nodes are closed, and one is opened again. Who goes on in the same epoch says that nothing is missing: durable
 * stores do, and others may. Who does not has to begin above all ids that were given; for it these rules end there.
 */
export function rulesOfRestarting(rule: Rule): void {
  rule('After a restart the retained log is there', async ({ open, restart }) => {
    const before = await open()
    await before.append(initialise('ann'), send('One'), stop('ann'), send('Two', { key: 'k' }))
    const told = await before.told()
    const after = await restart()
    if (after) assert.deepEqual(after.listener.log.entries, told)
  })

  rule('After a restart ids are above all that were given', async ({ open, restart }) => {
    const before = await open()
    const given = (await before.append(send(), initialise('ann'), send())).map(({ id }) => id)
    await restart()
    const after = await open()
    assert.ok((await after.appendOne(send())) > Math.max(...given))
  })

  rule('After a restart ids are above those of entries that are trimmed, too', async (nodes) => {
    const retention = { ...AMPLE_RETENTION, seconds: 1 }
    const before = await nodes.open({ retention })
    const { generation } = await before.initialise(initialise('ann'))
    const given = await before.append(send(), remove('ann', generation), send())
    await nodes.pass(2)
    await before.sweep()
    await nodes.restart({ retention })
    const after = await nodes.open({ retention })
    assert.ok((await after.appendOne(send())) > given.at(-1)!.id)
  })

  rule('After a restart every client is there, and its tokens are taken', async ({ open, restart }) => {
    const before = await open()
    const ann = await before.initialise(initialise('ann'))
    const bob = await before.initialise(initialise('bob'))
    await before.append(remove('bob', bob.generation))
    const after = await restart()
    if (!after) return
    assert.deepEqual((await after.record(hashOf('ann'))).client, ann)
    assert.equal(await after.provider.getClient(hashOf('bob')), undefined)
    assert.deepEqual(await after.listed(), ['ann'])
    const sameHash = initialise('new', { privateTokenHash: hashOf('ann') })
    for (const operation of [initialise('ann'), sameHash]) {
      assert.equal(await after.refusal(operation), 'COMET_CLIENT_ALREADY_EXISTS')
    }
    assert.equal(await after.refusal(initialise('eve', { maxClients: 1 })), 'COMET_TOO_MANY_CLIENTS')
    await after.append(initialise('bob'), remove('ann', ann.generation))
  })

  rule('After a restart the same page has the lease, and what it acknowledged', async ({ open, restart }) => {
    const before = await open()
    const ann = await before.initialise(initialise('ann'))
    const acknowledged = { epoch: before.listener.log.epoch, messageId: await before.appendOne(send()) }
    await before.renew(renewal(ann, { acknowledged }))
    const after = await restart()
    if (!after) return
    const record = await after.record(hashOf('ann'))
    assert.deepEqual([record.holder, record.acknowledged], ['page-1', acknowledged])
    assert.equal(await after.renew(renewal(ann, { holder: 'page-2' })), 'elsewhere')
    assert.equal(await after.renew(renewal(ann, { acknowledged: ann.start })), 'kept')
    assert.deepEqual((await after.record(hashOf('ann'))).acknowledged, acknowledged)
  })

  rule('After a restart a key is known', async ({ open, restart }) => {
    const before = await open()
    const keyed = send('Chat', { key: 'order 17' })
    const [first] = await before.append(keyed, send())
    const after = await restart()
    if (!after) return
    assert.deepEqual(await after.append(keyed), [first])
    assert.equal((await after.told()).length, 2)
  })

  rule('After a restart a stopped token is stopped', async ({ open, restart }) => {
    const before = await open()
    await before.append(initialise('ann'), stop('ann'))
    const after = await restart()
    if (!after) return
    assert.equal(await after.provider.getClient(hashOf('ann')), 'stopped')
    assert.equal(await after.refusal(initialise('ann')), 'COMET_CLIENT_ALREADY_EXISTS')
  })

  rule('After a restart nobody is removed for the time in which all was closed', async (nodes) => {
    const before = await nodes.open()
    await before.sweep()
    const ann = await before.initialise(initialise('ann', { leaseSeconds: 3 }))
    const bob = await before.initialise(initialise('bob'))
    await before.renew(renewal(bob, { seconds: 3, goodbye: true }))
    const after = await nodes.restart(undefined, () => nodes.pass(LONG_CLOSED_SECONDS))
    if (!after) return
    assert.deepEqual(await after.sweep(), [])
    assert.equal(await after.renew(renewal(ann)), 'kept')
    await nodes.pass(4)
    const removed = await after.provider.removeExpired()
    assert.deepEqual(
      removed.map(({ client, reason }) => [client.publicToken, reason]),
      [['bob', 'goodbye']],
    )
  })

  rule('A restart between two sweeps that come in time prolongs no lease', async (nodes) => {
    const before = await nodes.open()
    await before.sweep()
    await before.append(initialise('ann', { leaseSeconds: 1 }), initialise('bob'))
    const after = await nodes.restart(undefined, () => nodes.pass(2))
    if (after) assert.deepEqual(await after.sweep(), ['ann'])
  })
}
