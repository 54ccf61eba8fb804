import assert from 'node:assert/strict'
import { hashOf, initialise, remove, renewal } from './operations.ts'
import type { Rule } from './rule.ts'

export function rulesOfRemoval(rule: Rule): void {
  rule('A removed client is not known any more, and its tokens are free', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    await here.renew(renewal(ann, { acknowledged: ann.start }))
    await there.record(hashOf('ann'))
    await there.append(remove('ann', ann.generation))
    for (const node of [here, there]) assert.equal(await node.provider.getClient(hashOf('ann')), undefined)
    const again = await here.initialise(initialise('ann'))
    assert.ok(again.generation > ann.generation)
    const { holder, acknowledged } = await there.record(hashOf('ann'))
    assert.deepEqual([holder, acknowledged], [undefined, undefined], 'the new bearer inherits nothing')
  })

  rule('To remove with another generation is refused, and removes nobody', async ({ open }) => {
    const node = await open()
    const old = await node.initialise(initialise('ann'))
    await node.append(remove('ann', old.generation))
    const ann = await node.initialise(initialise('ann'))
    for (const generation of [old.generation, ann.generation + 1]) {
      assert.equal(await node.refusal(remove('ann', generation)), 'COMET_CLIENT_DOES_NOT_EXIST')
    }
    assert.equal((await node.record(hashOf('ann'))).client.generation, ann.generation)
    assert.equal((await node.told()).length, 3)
  })

  rule('A client that never subscribed is removed as idle, with a remove entry', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await here.initialise(initialise('ann', { leaseSeconds: 1 }))
    await here.append(initialise('bob'))
    await pass(2)
    assert.deepEqual(await here.provider.removeExpired(), [{ client: ann, reason: 'idle' }])
    for (const node of [here, there]) {
      assert.equal(await node.provider.getClient(hashOf('ann')), undefined)
      const { id, ...entry } = (await node.told()).at(-1)!
      assert.deepEqual(entry, { kind: 'remove', publicToken: 'ann', generation: ann.generation })
    }
    assert.deepEqual(await there.sweep(), [])
    assert.deepEqual(await here.listed(), ['bob'])
  })

  rule('A client whose lease was renewed is not removed', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await here.initialise(initialise('ann', { leaseSeconds: 1 }))
    assert.equal(await there.renew(renewal(ann)), 'kept')
    await pass(2)
    assert.deepEqual([await here.sweep(), await there.sweep()], [[], []])
    assert.ok(await here.record(hashOf('ann')))
  })

  rule('A lease that ran out can still be renewed as long as nobody swept', async ({ open, pass }) => {
    const node = await open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann', { leaseSeconds: 1 }))
    await pass(2)
    assert.equal(await node.renew(renewal(ann)), 'kept')
    assert.deepEqual(await node.sweep(), [])
  })

  rule('A goodbye shortens the lease, and is the reason when it runs out', async ({ open, pass }) => {
    const node = await open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann'))
    await node.renew(renewal(ann))
    assert.equal(await node.renew(renewal(ann, { seconds: 1, goodbye: true })), 'kept')
    await pass(2)
    const removed = await node.provider.removeExpired()
    assert.deepEqual(
      removed.map(({ client, reason }) => [client.publicToken, reason]),
      [['ann', 'goodbye']],
    )
  })

  rule("Another page's goodbye neither shortens the lease nor is a reason", async ({ open, pass }) => {
    const node = await open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann'))
    await node.renew(renewal(ann, { holder: 'page-2' }))
    const goodbye = renewal(ann, { holder: 'page-1', seconds: 1, goodbye: true })
    assert.equal(await node.renew(goodbye), 'elsewhere')
    await pass(2)
    assert.deepEqual(await node.sweep(), [])
    await node.renew(renewal(ann, { holder: 'page-2', seconds: 1 }))
    await node.renew(goodbye)
    await pass(2)
    assert.equal((await node.provider.removeExpired())[0]?.reason, 'idle')
  })

  rule('A renewal for a request of the page takes a goodbye back', async ({ open, pass }) => {
    const node = await open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann'))
    await node.renew(renewal(ann, { seconds: 1, goodbye: true }))
    assert.equal(await node.renew(renewal(ann)), 'kept')
    await pass(2)
    assert.deepEqual(await node.sweep(), [])
    await node.renew(renewal(ann, { seconds: 1 }))
    await pass(2)
    assert.equal((await node.provider.removeExpired())[0]?.reason, 'idle')
  })

  rule('A renewal without a request leaves what a goodbye shortened as it is', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await here.initialise(initialise('ann'))
    await here.renew(renewal(ann))
    await here.renew(renewal(ann, { seconds: 1, goodbye: true }))
    assert.equal(await there.renew(renewal(ann, { returns: false, acknowledged: ann.start })), 'kept')
    assert.equal(await there.renew(renewal(ann, { holder: 'page-2', returns: false })), 'elsewhere')
    const { holder, acknowledged } = await here.record(hashOf('ann'))
    assert.deepEqual([holder, acknowledged], ['page-1', undefined])
    await pass(2)
    const removed = await here.provider.removeExpired()
    assert.deepEqual(
      removed.map(({ client, reason }) => [client.publicToken, reason]),
      [['ann', 'goodbye']],
    )
  })

  rule('A renewal without a request prolongs a lease that no goodbye shortened', async ({ open, pass }) => {
    const node = await open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann', { leaseSeconds: 1 }))
    await node.renew(renewal(ann, { seconds: 1, goodbye: true }))
    await node.renew(renewal(ann, { seconds: 1 }))
    assert.equal(await node.renew(renewal(ann, { returns: false })), 'kept')
    await pass(2)
    assert.deepEqual(await node.sweep(), [])
  })

  rule('Of two nodes that sweep at once, one alone gets each client', async ({ open, pass }) => {
    const nodes = [await open(), await open()]
    await nodes[0]!.sweep()
    const tokens = Array.from({ length: 20 }, (_, index) => `client-${String(index).padStart(2, '0')}`)
    await nodes[0]!.append(...tokens.map((token) => initialise(token, { leaseSeconds: 1 })))
    await pass(2)
    const removed = await Promise.all([...nodes, ...nodes].map((node) => node.sweep()))
    assert.deepEqual(removed.flat().sort(), tokens)
    const entries = (await nodes[1]!.told()).filter(({ kind }) => kind === 'remove')
    assert.equal(entries.length, tokens.length, 'each has one remove entry')
  })

  rule('A renewal and a sweep at once agree on whether the client lives', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await here.initialise(initialise('ann', { leaseSeconds: 1 }))
    await pass(2)
    const [removed, outcome] = await Promise.all([here.sweep(), there.renew(renewal(ann))])
    const record = await there.provider.getClient(hashOf('ann'))
    if (outcome === 'kept') assert.deepEqual([removed, typeof record], [[], 'object'])
    else assert.deepEqual([removed, record, outcome], [['ann'], undefined, 'gone'])
  })
}
