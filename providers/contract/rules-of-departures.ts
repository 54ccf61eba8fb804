import assert from 'node:assert/strict'
import { type CometClient, publicPartOf } from '../../lib/comet-client.ts'
import type { Entry } from '../../lib/comet-state-provider.ts'
import {
  hashOf,
  initialise,
  initialiseAs,
  join,
  leave,
  remove,
  renewal,
  stop,
  stopTopics,
} from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'

/** Whoever goes leaves its groups, in the order of joining, whatever it goes by. */
export function rulesOfDepartures(rule: Rule): void {
  rule('Who is removed leaves its groups first', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await memberOfThree(here)
    const before = (await here.told()).length
    const [done] = await there.append(remove('ann', ann.generation))
    assert.deepEqual(done!.client, ann, 'the outcome has the client as it was')
    for (const node of [here, there]) {
      const added = (await node.told()).slice(before)
      assert.deepEqual(added.map(withoutId), [...leavesOf(ann), removalOf(ann)])
      assert.equal(added.at(-1)!.id, done!.id, 'the outcome has the id of the remove entry')
    }
  })

  rule('Who is removed as idle leaves its groups first', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await memberOfThree(here)
    await here.append(initialise('bob'))
    const before = (await here.told()).length
    await here.renew(renewal(ann, { seconds: 1 }))
    const { client } = await here.record(hashOf('ann'))
    await pass(2)
    const removed = await there.provider.removeExpired()
    assert.deepEqual(removed, [{ client, reason: 'idle' }])
    for (const node of [here, there]) {
      const added = (await node.told()).slice(before)
      assert.deepEqual(added.map(withoutId), [...leavesOf(ann), removalOf(ann)])
    }
  })

  rule(
    'Who is stopped leaves its groups behind the stop entry, and has no remove entry',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      const ann = await memberOfThree(here)
      const bob = await here.initialise(initialiseAs('bob', { groups: ['c', 'b'] }))
      await here.append(initialise('eve'))
      const before = (await here.told()).length
      const [done, after] = await there.append(
        stop('bob', 'eve', 'ann'),
        initialiseAs('bob', {}, { privateTokenHash: hashOf('new') }),
      )
      assert.deepEqual(done!.stopped!.toSorted(byToken).slice(0, 2), [ann, bob], 'as they were')
      for (const node of [here, there]) {
        const [first, ...rest] = (await node.told()).slice(before)
        assert.equal(first!.id, done!.id, 'the outcome has the id of the stop entry')
        assert.equal(
          rest.pop()!.id,
          after!.id,
          'what is appended after the stop comes after its leave entries',
        )
        const ofBob = rest.filter((entry) => 'generation' in entry && entry.generation === bob.generation)
        const ofAnn = rest.filter((entry) => !ofBob.includes(entry))
        assert.deepEqual(ofAnn.map(withoutId), leavesOf(ann))
        assert.deepEqual(ofBob.map(withoutId), leavesOf(bob))
      }
    },
  )

  rule('Who comes after inherits no group', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (const end of [(ann: CometClient) => remove('ann', ann.generation), () => stopTopics(['g:a'])]) {
      const ann = await here.initialise(initialiseAs('ann', { groups: ['a'] }))
      await here.append(join('ann', 'b'), leave('ann', 'b'), end(ann))
      const again = initialise('ann', { privateTokenHash: hashOf(`after ${ann.generation}`) })
      const { groups, generation } = await there.initialise(again)
      assert.deepEqual(groups, [])
      assert.deepEqual((await here.record(again.privateTokenHash)).memberships, [])
      await here.append(remove('ann', generation))
      assert.deepEqual((await here.told()).at(-2)!.kind, 'initialise', 'it has nothing to leave')
    }
  })
}

/** A client that has joined three groups, and left one of them and another. */
async function memberOfThree(node: ProviderNode): Promise<CometClient> {
  const ann = initialiseAs('ann', { groups: ['b', 'left'], displayName: 'Ann', data: { age: 30 } })
  const done = await node.append(
    ann,
    join('ann', 'a'),
    leave('ann', 'b'),
    leave('ann', 'left'),
    join('ann', 'c'),
    join('ann', 'b'),
  )
  return done.at(-1)!.client!
}

function leavesOf(client: CometClient): object[] {
  const { generation } = client
  return client.groups.map((group) => ({ kind: 'leave', generation, client: publicPartOf(client), group }))
}

function removalOf({ publicToken, generation }: CometClient): object {
  return { kind: 'remove', publicToken, generation }
}

function withoutId({ id, ...entry }: Entry): object {
  return entry
}

function byToken(a: CometClient, b: CometClient): number {
  return a.publicToken < b.publicToken ? -1 : 1
}
