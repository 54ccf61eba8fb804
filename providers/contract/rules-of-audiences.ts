import assert from 'node:assert/strict'
import { EVERYBODY, groupTopic, sessionTopic, userTopic } from '../../lib/topics.ts'
import { hashOf, initialiseAs, join, leave, remove, stopTopics, update } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'
import { eventually } from './waiting.ts'

/** Whom topics address: of `getClients`, and of a stop. */
export function rulesOfAudiences(rule: Rule): void {
  rule('Those are listed whom one of the topics addresses, each once', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    await appendFriends(here)
    for (const [topics, expected] of [
      [['u:1'], 'ann,bob'],
      [['s:1'], 'bob,eve'],
      [['g:1'], 'eve,joe'],
      [['c:1'], ''],
      [['c:ann', 'c:nobody', 'c:ann'], 'ann'],
      [['u:1', 's:1', 'g:1', 'c:ann'], 'ann,bob,eve,joe'],
      [['g:2', 'u:2', 'g:3'], 'eve,joe'],
      [['u:', 's:', 'g:', 'c:', '1', ''], ''],
      [[EVERYBODY, 'g:1', 'c:ann'], 'ann,bob,eve,joe,zoe'],
      [[], ''],
    ] as const) {
      for (const node of [here, there]) {
        const isListed = async () => (await node.listed(topics)).join() === expected
        await eventually(`for ${JSON.stringify(topics)} '${expected}' is listed`, isListed)
      }
    }
  })

  rule('Users and sessions are data, too', async ({ open }) => {
    const node = await open()
    const names = ['user', 'User', 'user ', 'us%r', "o'hara", '0', '00', '__proto__', 'é', 'e\u0301']
    const clients = names.map((name, index) =>
      initialiseAs(`client-${index}`, { userId: name, sessionId: name }),
    )
    await node.append(...clients)
    for (const [index, name] of names.entries()) {
      for (const topic of [userTopic(name), sessionTopic(name)]) {
        assert.deepEqual(await node.listed([topic]), [`client-${index}`], JSON.stringify(topic))
      }
      assert.deepEqual(await node.listed([groupTopic(name)]), [])
    }
  })

  rule(
    'Who is removed is listed for no topic any more, nor is the next bearer for topics of the first',
    async (nodes) => {
      const node = await nodes.open()
      const topics = ['u:1', 's:1', 'g:1']
      const first = { userId: '1', sessionId: '1', groups: ['1'] }
      const { generation } = await node.initialise(initialiseAs('ann', first))
      await node.append(remove('ann', generation))
      assert.deepEqual(await node.listed(topics), [])
      await node.append(initialiseAs('ann', {}))
      for (const topic of topics) assert.deepEqual(await node.listed([topic]), [])
      await node.append(
        initialiseAs('bob', first),
        stopTopics(['s:1']),
        initialiseAs('bob', {}, { privateTokenHash: hashOf('b') }),
      )
      for (const topic of topics) assert.deepEqual(await node.listed([topic]), [])
    },
  )

  rule(
    'A stop hits a union of groups, users and sessions, each client once, but nobody excepted',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      await appendFriends(here)
      const topics = ['u:1', 's:1', 'g:3', 'c:bob']
      const except = ['ann', 'nobody']
      const [done] = await there.append(stopTopics(topics, except))
      const stopped = done!.stopped!.map(({ publicToken, groups }) => [publicToken, groups])
      assert.deepEqual(stopped.toSorted(), [
        ['bob', []],
        ['eve', ['1', '2']],
        ['joe', ['1', '3']],
      ])
      for (const node of [here, there]) {
        const entry = (await node.told()).find(({ kind }) => kind === 'stop')
        assert.deepEqual(entry, { kind: 'stop', id: done!.id, topics, except })
        for (const { publicToken } of done!.stopped!) {
          assert.equal(await node.provider.getClient(hashOf(publicToken)), 'stopped')
        }
        for (const token of ['ann', 'zoe']) assert.ok(await node.record(hashOf(token)))
        const lists = async () => (await node.listed()).join() === 'ann,zoe'
        await eventually('nobody is listed who was stopped', lists)
      }
    },
  )

  rule('A stop of everybody spares whom it excepts', async ({ open }) => {
    const node = await open()
    await appendFriends(node)
    const [done] = await node.append(stopTopics([EVERYBODY], ['eve']))
    assert.deepEqual(done!.stopped!.map(({ publicToken }) => publicToken).sort(), [
      'ann',
      'bob',
      'joe',
      'zoe',
    ])
    assert.deepEqual(await node.listed(), ['eve'])
  })

  rule(
    'A stop of a group hits those who are members then: not who left before, nor who joins after',
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      await here.append(
        initialiseAs('left', { groups: ['room'] }),
        initialiseAs('member', {}),
        initialiseAs('late', {}),
        leave('left', 'room'),
        join('member', 'room'),
      )
      const [stopped, joined] = await there.append(stopTopics(['g:room']), join('late', 'room'))
      assert.deepEqual(
        stopped!.stopped!.map(({ publicToken }) => publicToken),
        ['member'],
      )
      assert.equal(joined!.unchanged, undefined)
      await here.append(join('left', 'room'), initialiseAs('new', { groups: ['room'] }))
      for (const node of [here, there]) {
        assert.equal(await node.provider.getClient(hashOf('member')), 'stopped')
        const lists = async () => (await node.listed(['g:room'])).join() === 'late,left,new'
        await eventually('the group goes on with those who joined after', lists)
      }
    },
  )

  rule('Whom a stop has hit nobody can join, update or claim for', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialiseAs('ann', { groups: ['room'] }))
    await here.append(stopTopics(['g:room']))
    const { generation } = ann
    const claims = [{ publicToken: 'ann', generation, key: 'k', run: 'r', runSeconds: 60, seconds: 60 }]
    for (const node of [here, there]) {
      for (const operation of [join('ann', 'room'), leave('ann', 'room'), update('ann', { data: 1 })]) {
        assert.equal(await node.refusal(operation), 'COMET_CLIENT_DOES_NOT_EXIST')
      }
      assert.deepEqual(await node.provider.claim(claims), ['gone'])
    }
  })
}

/** Who has something of one name in common. */
async function appendFriends(node: ProviderNode): Promise<void> {
  await node.append(
    initialiseAs('ann', { userId: '1' }),
    initialiseAs('bob', { userId: '1', sessionId: '1' }),
    initialiseAs('eve', { userId: '2', sessionId: '1', groups: ['1', '2'] }),
    initialiseAs('joe', { groups: ['1', '3'] }),
    initialiseAs('zoe', {}),
  )
}
