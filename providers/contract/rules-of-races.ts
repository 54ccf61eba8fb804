import assert from 'node:assert/strict'
import { clientTopic } from '../../lib/topics.ts'
import { hashOf, initialise, remove, renewal, send, stop } from './operations.ts'
import type { Rule } from './rule.ts'

const ROUNDS = 20

/** What two nodes do at once has to come out as if one had done it after the other. */
export function rulesOfRaces(rule: Rule): void {
  rule(
    'A send to a client that is removed at once is stored before the removal, or refused',
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      const toAnn = send('Chat', { topics: [clientTopic('ann')], receiver: 'ann' })
      for (let round = 0; round < ROUNDS; round += 1) {
        const { generation } = await here.initialise(initialise('ann'))
        const [removedAt, [outcome]] = await Promise.all([
          here.appendOne(remove('ann', generation)),
          there.provider.append([toAnn]),
        ])
        if (outcome && 'id' in outcome)
          assert.ok(outcome.id < removedAt, `${outcome.id}, gone at ${removedAt}`)
        else assert.deepEqual(outcome, { refused: 'COMET_CLIENT_DOES_NOT_EXIST' })
      }
    },
  )

  rule('Of a removal and a stop at once one ends the client', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = `ann-${round}`
      const { generation } = await here.initialise(initialise(token))
      const [[removed], [stopped]] = await Promise.all([
        here.provider.append([remove(token, generation)]),
        there.append(stop(token)),
      ])
      const wasRemoved = removed !== undefined && 'id' in removed
      assert.equal(stopped!.stopped!.length, wasRemoved ? 0 : 1)
      assert.equal(await here.provider.getClient(hashOf(token)), wasRemoved ? undefined : 'stopped')
    }
  })

  rule('Of a removal and a sweep at once one ends the client', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const { generation } = await here.initialise(initialise('ann', { leaseSeconds: 1 }))
    await pass(2)
    const [[removed], swept] = await Promise.all([
      here.provider.append([remove('ann', generation)]),
      there.sweep(),
    ])
    assert.deepEqual(swept, 'id' in removed! ? [] : ['ann'])
    assert.equal((await there.told()).filter(({ kind }) => kind === 'remove').length, 1)
  })

  rule(
    'A token whose client runs out is taken until the sweep, and free after it',
    async ({ open, pass }) => {
      const [here, there] = [await open(), await open()]
      await here.sweep()
      const ann = await here.initialise(initialise('ann', { leaseSeconds: 1 }))
      await pass(2)
      const [swept, [again]] = await Promise.all([here.sweep(), there.provider.append([initialise('ann')])])
      assert.deepEqual(swept, ['ann'], 'the one that has run out is removed')
      const removedAt = (await here.told()).find(({ kind }) => kind === 'remove')!.id
      if ('id' in again!) assert.ok(again.id > removedAt, `initialised at ${again.id}, free at ${removedAt}`)
      else assert.deepEqual(again, { refused: 'COMET_CLIENT_ALREADY_EXISTS' })
      assert.equal(await here.renew(renewal(ann)), 'gone')
    },
  )

  rule('A renewal and a removal at once leave no client behind', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      const ann = await here.initialise(initialise('ann'))
      await Promise.all([here.append(remove('ann', ann.generation)), there.renew(renewal(ann))])
      for (const { provider } of [here, there]) {
        assert.equal(await provider.getClient(hashOf('ann')), undefined)
      }
    }
  })
}
