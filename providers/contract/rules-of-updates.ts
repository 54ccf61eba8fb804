import assert from 'node:assert/strict'
import { publicPartOf } from '../../lib/comet-client.ts'
import { hashOf, initialiseAs, join, leave, remove, renewal, update } from './operations.ts'
import type { Rule } from './rule.ts'

const GIVEN = { displayName: 'Ann', data: { age: 30 }, userId: 'u', sessionId: 's', groups: ['b', 'a'] }

export function rulesOfUpdates(rule: Rule): void {
  rule(
    'An update changes what it names, with an entry that says what others may know now',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      let known = await here.initialise(initialiseAs('ann', GIVEN))
      for (const changes of [
        { displayName: 'Änn ☃ "\\' },
        { data: { list: [1, null, { deep: 'é' }], text: 'a\u0000b' } },
        { displayName: '', data: null },
        { data: false },
        { displayName: 'Ann', data: 'text' },
      ]) {
        known = { ...known, ...changes }
        const [done] = await here.append(update('ann', changes))
        assert.deepEqual(done!.client, known)
        for (const node of [here, there]) {
          const { generation, groups } = known
          const entry = { kind: 'update', id: done!.id, generation, client: publicPartOf(known), groups }
          assert.deepEqual((await node.told()).at(-1), entry)
          assert.deepEqual((await node.record(hashOf('ann'))).client, known)
        }
      }
    },
  )

  rule(
    'An update changes nothing else: no membership, no lease, nothing that was acknowledged',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      const ann = await here.initialise(initialiseAs('ann', GIVEN))
      await here.append(join('ann', 'c'), leave('ann', 'a'))
      await here.renew(renewal(ann, { acknowledged: ann.start }))
      const { asOf: _before, ...before } = await here.record(hashOf('ann'))
      const { client } = (await there.append(update('ann', { displayName: 'New' })))[0]!
      const { asOf: _after, ...after } = await here.record(hashOf('ann'))
      assert.deepEqual(after, { ...before, client })
      assert.deepEqual((await here.told()).at(-1), {
        kind: 'update',
        id: (await here.told()).at(-1)!.id,
        generation: ann.generation,
        client: publicPartOf(client!),
        groups: ['b', 'c'],
      })
      assert.equal(await there.renew(renewal(ann, { holder: 'page-2' })), 'elsewhere')
    },
  )

  rule('What comes after an update tells of the client as it is then', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const { generation } = await here.initialise(initialiseAs('ann', GIVEN))
    await here.append(update('ann', { displayName: 'New', data: [1] }))
    await there.append(join('ann', 'c'), leave('ann', 'b'), remove('ann', generation))
    const entries = (await here.told()).slice(4, -1)
    const told = entries.map(
      (entry) => 'client' in entry && [entry.kind, entry.client.displayName, entry.client.data],
    )
    assert.deepEqual(told, [
      ['join', 'New', [1]],
      ['leave', 'New', [1]],
      ['leave', 'New', [1]],
      ['leave', 'New', [1]],
    ])
  })
}
