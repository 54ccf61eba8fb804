import assert from 'node:assert/strict'
import { publicPartOf } from '../../lib/comet-client.ts'
import { groupTopic } from '../../lib/topics.ts'
import { hashOf, initialise, initialiseAs, join, leave, remove, update } from './operations.ts'
import type { Rule } from './rule.ts'
import { eventually } from './waiting.ts'

/** What one may be called and not the other. No name means anything to a store. */
const NAMES = [
  'room',
  'Room',
  'room ',
  ' room',
  'ro%m',
  'r_om',
  'room*',
  "o'hara; --",
  '"quoted"\\',
  'a,b',
  'a\nb',
  'g:room',
  '*',
  '0',
  '00',
  'null',
  'constructor',
  '__proto__',
  'é',
  'e\u0301',
  '𝒳 ☃ \uffff',
  'x'.repeat(127),
  'x'.repeat(128),
]

export function rulesOfGroups(rule: Rule): void {
  rule('A join adds a join entry, and a membership from there on', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const [done] = await here.append(join('ann', 'room'))
    assert.deepEqual(done!.client, { ...ann, groups: ['room'] })
    for (const node of [here, there]) {
      const entry = {
        kind: 'join',
        id: done!.id,
        generation: ann.generation,
        client: publicPartOf(ann),
        group: 'room',
      }
      assert.deepEqual((await node.told()).at(-1), entry)
      const { client, memberships, lostThrough } = await node.record(hashOf('ann'))
      assert.deepEqual(client, done!.client)
      assert.deepEqual(memberships, [{ group: 'room', joined: done!.id }])
      assert.equal(lostThrough, undefined)
    }
  })

  rule('A leave adds a leave entry, and ends the membership, which is kept', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const joined = await here.appendOne(join('ann', 'room'))
    const [done] = await there.append(leave('ann', 'room'))
    assert.deepEqual(done!.client, ann)
    for (const node of [here, there]) {
      const about = { generation: ann.generation, client: publicPartOf(ann), group: 'room' }
      assert.deepEqual((await node.told()).at(-1), { kind: 'leave', id: done!.id, ...about })
      const { client, memberships } = await node.record(hashOf('ann'))
      assert.deepEqual(client.groups, [])
      assert.deepEqual(memberships, [{ group: 'room', joined, left: done!.id }])
    }
  })

  rule(
    'To join what one is a member of, or to leave what one is not, adds nothing and says so',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      const ann = await here.initialise(initialiseAs('ann', { groups: ['lobby'] }))
      const joined = await here.appendOne(join('ann', 'room'))
      const left = (await here.append(join('ann', 'left'), leave('ann', 'left'))).at(-1)!.id
      const told = await here.told()
      for (const node of [here, there]) {
        for (const [operation, since] of [
          [join('ann', 'lobby'), ann.generation],
          [join('ann', 'room'), joined],
          [leave('ann', 'left'), left],
          [leave('ann', 'never'), ann.generation],
        ] as const) {
          const [done] = await node.append(operation)
          const { id, epoch, unchanged, client } = done!
          assert.deepEqual([unchanged, epoch], [true, ann.start.epoch])
          assert.deepEqual(client!.groups, ['lobby', 'room'])
          assert.ok(since <= id && id <= told.at(-1)!.id, `it was so from ${since} on, not at ${id}`)
        }
        assert.deepEqual(await node.told(), told)
      }
    },
  )

  rule('Who joins anew is a member from the new join on, and was one before', async ({ open }) => {
    const node = await open()
    await node.append(initialise('ann'))
    const [first, left, again] = await node.append(join('ann', 'x'), leave('ann', 'x'), join('ann', 'x'))
    const { client, memberships } = await node.record(hashOf('ann'))
    assert.deepEqual(client.groups, ['x'])
    assert.deepEqual(memberships, [
      { group: 'x', joined: first!.id, left: left!.id },
      { group: 'x', joined: again!.id },
    ])
  })

  rule('Groups stand in the order of joining', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    await here.append(initialiseAs('ann', { groups: ['z', 'a'] }), join('ann', 'm'), leave('ann', 'z'))
    await there.append(join('ann', 'b'), join('ann', 'z'))
    for (const node of [here, there]) {
      assert.deepEqual((await node.record(hashOf('ann'))).client.groups, ['a', 'm', 'b', 'z'])
    }
  })

  rule(
    'Initial groups count from the generation, each with a join entry behind the initialise entry',
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      const [done, after] = await here.append(initialiseAs('ann', { groups: ['b', 'a'] }), join('ann', 'c'))
      const { id: generation, client } = done!
      assert.deepEqual(client!.groups, ['b', 'a'])
      assert.equal(client!.generation, generation)
      for (const node of [here, there]) {
        const [first, ...joins] = await node.told()
        assert.deepEqual(first, { kind: 'initialise', id: generation, publicToken: 'ann' })
        assert.equal(joins.at(-1)!.id, after!.id)
        assert.deepEqual(
          joins.map(({ id, ...entry }) => entry),
          ['b', 'a', 'c'].map((group) => ({
            kind: 'join',
            generation,
            client: publicPartOf(client!),
            group,
          })),
        )
        assert.deepEqual((await node.record(hashOf('ann'))).memberships, [
          { group: 'b', joined: generation },
          { group: 'a', joined: generation },
          { group: 'c', joined: after!.id },
        ])
      }
    },
  )

  rule('No client joins more than maxGroups', async ({ open }) => {
    const node = await open()
    await node.append(initialiseAs('ann', { groups: ['a', 'b'] }))
    const limit = { maxGroups: 2 }
    const told = (await node.told()).length
    assert.equal(await node.refusal(join('ann', 'c', limit)), 'COMET_CLIENT_HAS_TOO_MANY_GROUPS')
    assert.equal((await node.told()).length, told)
    const [member] = await node.append(join('ann', 'a', { maxGroups: 1 }))
    assert.equal(member!.unchanged, true, 'who is a member already is over no limit')
    await node.append(leave('ann', 'a'), join('ann', 'c', limit))
    assert.deepEqual((await node.record(hashOf('ann'))).client.groups, ['b', 'c'])
  })

  rule('Nobody joins, leaves or is updated who does not exist', async ({ open }) => {
    const node = await open()
    const { generation } = await node.initialise(initialiseAs('ann', { groups: ['room'] }))
    await node.append(remove('ann', generation))
    const told = (await node.told()).length
    for (const token of ['ann', 'nobody']) {
      for (const operation of [
        join(token, 'room', { maxGroups: 0 }),
        leave(token, 'room'),
        update(token, { displayName: 'Name' }),
      ]) {
        assert.equal(await node.refusal(operation), 'COMET_CLIENT_DOES_NOT_EXIST')
      }
    }
    assert.equal((await node.told()).length, told)
    assert.deepEqual(await node.listed(), [])
  })

  rule(
    'A join, leave or update that names a generation is for that bearer of the token alone',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      const old = await here.initialise(initialise('ann'))
      await here.append(remove('ann', old.generation))
      const ann = await here.initialise(initialiseAs('ann', { groups: ['room'] }))
      for (const { generation } of [old, { generation: ann.generation + 1 }]) {
        for (const operation of [
          join('ann', 'other', { generation }),
          leave('ann', 'room', { generation }),
          update('ann', { displayName: 'Old', generation }),
        ]) {
          assert.equal(await there.refusal(operation), 'COMET_CLIENT_DOES_NOT_EXIST')
        }
      }
      assert.deepEqual((await here.record(hashOf('ann'))).client, ann)
      const { generation } = ann
      await there.append(
        join('ann', 'other', { generation }),
        leave('ann', 'room', { generation }),
        update('ann', { displayName: 'New', generation }),
      )
      const { client } = await here.record(hashOf('ann'))
      assert.deepEqual([client.displayName, client.groups], ['New', ['other']])
    },
  )

  rule('Names of groups are data: what is not the same to the letter is another group', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    await here.append(initialiseAs('ann', { groups: NAMES }), initialise('bob'))
    await here.append(...NAMES.map((group) => join('bob', group)))
    assert.deepEqual((await there.record(hashOf('ann'))).client.groups, NAMES)
    const entries = (await there.told()).filter((entry) => entry.kind === 'join')
    assert.deepEqual(
      entries.map(({ group }) => group),
      [...NAMES, ...NAMES],
    )
    for (const [index, group] of NAMES.entries()) {
      await there.append(leave('bob', group))
      const rest = NAMES.slice(index + 1)
      assert.deepEqual((await here.record(hashOf('bob'))).client.groups, rest)
      const members = async () => (await here.listed([groupTopic(group)])).join() === 'ann'
      await eventually(`ann alone is listed in ${JSON.stringify(group)}`, members)
    }
    assert.deepEqual(await here.listed([groupTopic('ROOM')]), [])
  })

  rule('A group vanishes with its last member, and begins anew with the next', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialiseAs('ann', { groups: ['room'] }))
    await here.append(initialise('bob'), join('bob', 'room'))
    const lists = async (...expected: string[]) => {
      for (const node of [here, there]) {
        const isListed = async () => (await node.listed([groupTopic('room')])).join() === expected.join()
        await eventually(`${expected} is listed in the group`, isListed)
      }
    }
    await lists('ann', 'bob')
    await there.append(leave('bob', 'room'), remove('ann', ann.generation))
    await lists()
    const joined = await here.appendOne(join('bob', 'room'))
    await lists('bob')
    assert.deepEqual((await there.record(hashOf('bob'))).memberships.at(-1), { group: 'room', joined })
  })
}
