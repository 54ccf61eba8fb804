import assert from 'node:assert/strict'
import { hashOf, initialise, remove, renewal, send } from './operations.ts'
import type { Rule } from './rule.ts'

export function rulesOfLeases(rule: Rule): void {
  rule('The first page to renew has the lease, and every provider knows', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    assert.equal((await there.record(hashOf('ann'))).holder, undefined)
    assert.equal(await here.renew(renewal(ann, { holder: 'page-1' })), 'kept')
    for (const node of [here, there]) {
      const { holder, client } = await node.record(hashOf('ann'))
      assert.equal(holder, 'page-1')
      assert.ok(client.lastSeenAt >= ann.lastSeenAt)
    }
    assert.equal(await there.renew(renewal(ann, { holder: 'page-1' })), 'kept')
  })

  rule('Another page is answered elsewhere, and changes nothing', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    await here.renew(renewal(ann, { holder: 'page-1' }))
    const acknowledged = ann.start
    for (const node of [here, there]) {
      assert.equal(await node.renew(renewal(ann, { holder: 'page-2', acknowledged })), 'elsewhere')
      const record = await node.record(hashOf('ann'))
      assert.equal(record.holder, 'page-1')
      assert.equal(record.acknowledged, undefined)
    }
  })

  rule('Another page that is answered elsewhere does not prolong the lease', async ({ open, pass }) => {
    const node = await open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann'))
    await node.renew(renewal(ann, { holder: 'page-1', seconds: 1 }))
    assert.equal(await node.renew(renewal(ann, { holder: 'page-2' })), 'elsewhere')
    await pass(2)
    assert.deepEqual(await node.sweep(), ['ann'])
  })

  rule('A page that takes the lease has it, and the one before it is elsewhere', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    await here.renew(renewal(ann, { holder: 'page-1' }))
    assert.equal(await there.renew(renewal(ann, { holder: 'page-2', take: true })), 'kept')
    assert.equal(await here.renew(renewal(ann, { holder: 'page-1' })), 'elsewhere')
    assert.equal((await here.record(hashOf('ann'))).holder, 'page-2')
  })

  rule('Of two pages that renew a free lease at once on two nodes, one has it', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (let round = 0; round < 20; round += 1) {
      const ann = await here.initialise(initialise(`ann-${round}`))
      const outcomes = await Promise.all([
        here.renew(renewal(ann, { holder: 'page-1' })),
        there.renew(renewal(ann, { holder: 'page-2' })),
      ])
      assert.deepEqual(outcomes.toSorted(), ['elsewhere', 'kept'])
      const expected = outcomes[0] === 'kept' ? 'page-1' : 'page-2'
      assert.equal((await here.record(hashOf(`ann-${round}`))).holder, expected)
    }
  })

  rule('A client that does not exist is gone', async ({ open }) => {
    const node = await open()
    assert.equal(await node.renew(renewal({ publicToken: 'nobody', generation: 1 })), 'gone')
    const ann = await node.initialise(initialise('ann'))
    await node.append(remove('ann', ann.generation))
    assert.equal(await node.renew(renewal(ann, { take: true })), 'gone')
    assert.equal(await node.provider.getClient(hashOf('ann')), undefined, 'a renewal brings nobody back')
    assert.deepEqual(await node.listed(), [])
  })

  rule(
    'A late renewal for an earlier bearer of the token does not touch the new one',
    async ({ open, pass }) => {
      const [here, there] = [await open(), await open()]
      await here.sweep()
      const old = await here.initialise(initialise('ann'))
      await here.append(remove('ann', old.generation))
      await here.append(initialise('ann', { leaseSeconds: 1 }))
      const late = { holder: 'page-of-old', take: true, acknowledged: old.start }
      assert.equal(await there.renew(renewal(old, late)), 'gone')
      const record = await here.record(hashOf('ann'))
      assert.deepEqual([record.holder, record.acknowledged], [undefined, undefined])
      await pass(2)
      assert.deepEqual(await here.sweep(), ['ann'], 'the lease was not prolonged')
    },
  )

  rule('Several renewals are answered in order', async ({ open }) => {
    const node = await open()
    const [ann, bob] = [await node.initialise(initialise('ann')), await node.initialise(initialise('bob'))]
    await node.renew(renewal(bob, { holder: 'page-of-bob' }))
    const gone = { publicToken: 'ann', generation: ann.generation - 1 }
    const asked = [renewal(gone), renewal(ann), renewal(bob), renewal(bob, { take: true }), renewal(ann)]
    assert.deepEqual(await node.provider.renewLeases(asked), ['gone', 'kept', 'elsewhere', 'kept', 'kept'])
    assert.deepEqual(await node.provider.renewLeases([]), [])
  })

  rule('The highest acknowledged position is kept', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const [low, high] = await here.append(send(), send())
    const cursors = [low!, high!].map(({ epoch, id }) => ({ epoch, messageId: id }))
    await here.renew(renewal(ann, { acknowledged: cursors[1]! }))
    await there.renew(renewal(ann, { acknowledged: cursors[0]! }))
    await there.renew(renewal(ann))
    for (const node of [here, there]) {
      assert.deepEqual((await node.record(hashOf('ann'))).acknowledged, cursors[1])
    }
  })

  rule(
    'A position acknowledged in a newer life of the log replaces that of an older one',
    async ({ open }) => {
      const node = await open()
      const ann = await node.initialise(initialise('ann'))
      await node.renew(renewal(ann, { acknowledged: { epoch: 'earlier', messageId: ann.generation + 1000 } }))
      await node.renew(renewal(ann, { acknowledged: ann.start }))
      assert.deepEqual((await node.record(hashOf('ann'))).acknowledged, ann.start)
    },
  )
}
