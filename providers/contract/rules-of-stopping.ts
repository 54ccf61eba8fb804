import assert from 'node:assert/strict'
import { EVERYBODY } from '../../lib/topics.ts'
import { hashOf, initialise, remove, renewal, stop, stopTopics } from './operations.ts'
import { AMPLE_RETENTION } from './provider-nodes.ts'
import type { Rule } from './rule.ts'

export function rulesOfStopping(rule: Rule): void {
  rule('A stop removes its audience, each client once, and names them', async ({ open }) => {
    const node = await open()
    const [ann, bob] = [await node.initialise(initialise('ann')), await node.initialise(initialise('bob'))]
    await node.append(initialise('eve'))
    const [done] = await node.append(stop('bob', 'nobody', 'ann', 'bob'))
    const stopped = done!.stopped!.toSorted((a, b) => a.generation - b.generation)
    assert.deepEqual(stopped, [ann, bob])
    assert.deepEqual(await node.listed(), ['eve'])
    const { id, ...entry } = (await node.told()).at(-1)!
    assert.deepEqual(entry, { kind: 'stop', topics: ['c:bob', 'c:nobody', 'c:ann', 'c:bob'], except: [] })
    assert.equal(id, done!.id)
  })

  rule('A stop of everybody stops everybody', async ({ open }) => {
    const node = await open()
    await node.append(initialise('ann'), initialise('bob'))
    const [done] = await node.append(stopTopics([EVERYBODY]))
    assert.equal(done!.stopped!.length, 2)
    assert.equal(await node.provider.getClient(hashOf('ann')), 'stopped')
    assert.deepEqual(await node.listed(), [])
  })

  rule('To stop an empty audience is fine', async ({ open }) => {
    const node = await open()
    const [done] = await node.append(stop('nobody'))
    assert.deepEqual(done!.stopped, [])
    assert.deepEqual(await node.told(), [{ kind: 'stop', id: done!.id, topics: ['c:nobody'], except: [] }])
  })

  rule("A stopped private token is answered with 'stopped', by every provider", async ({ open }) => {
    const [here, there] = [await open(), await open()]
    await here.append(initialise('ann'), initialise('bob'), stop('ann'))
    for (const node of [here, there]) {
      assert.equal(await node.provider.getClient(hashOf('ann')), 'stopped')
      assert.equal(typeof (await node.provider.getClient(hashOf('bob'))), 'object')
    }
    assert.equal(await (await open()).provider.getClient(hashOf('ann')), 'stopped')
  })

  rule('A stopped private token cannot be initialised with, its public token can', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    await here.append(initialise('ann'), stop('ann'))
    for (const node of [here, there]) {
      assert.equal(await node.refusal(initialise('ann')), 'COMET_CLIENT_ALREADY_EXISTS')
      const elsewhere = initialise('new', { privateTokenHash: hashOf('ann') })
      assert.equal(await node.refusal(elsewhere), 'COMET_CLIENT_ALREADY_EXISTS')
    }
    await here.append(initialise('ann', { privateTokenHash: hashOf('new') }))
    assert.equal(await there.provider.getClient(hashOf('ann')), 'stopped')
    assert.equal((await there.record(hashOf('new'))).client.publicToken, 'ann')
  })

  rule('A stopped client is gone for renewals and removals', async ({ open }) => {
    const node = await open()
    const ann = await node.initialise(initialise('ann'))
    await node.append(stop('ann'))
    assert.equal(await node.renew(renewal(ann, { take: true })), 'gone')
    assert.equal(await node.refusal(remove('ann', ann.generation)), 'COMET_CLIENT_DOES_NOT_EXIST')
  })

  rule('A removed client was not stopped', async ({ open }) => {
    const node = await open()
    const ann = await node.initialise(initialise('ann'))
    await node.append(remove('ann', ann.generation))
    assert.equal(await node.provider.getClient(hashOf('ann')), undefined)
  })

  rule('After the retention time a stopped token is forgotten', async ({ open, pass }) => {
    const node = await open({ retention: { ...AMPLE_RETENTION, seconds: 1 } })
    await node.append(initialise('ann'), stop('ann'))
    await pass(2)
    await node.sweep()
    assert.equal(await node.provider.getClient(hashOf('ann')), undefined)
    await node.append(initialise('ann'))
  })
}
