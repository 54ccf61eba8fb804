import assert from 'node:assert/strict'
import { groupTopic } from '../../lib/topics.ts'
import {
  hashOf,
  initialise,
  initialiseAs,
  join,
  leave,
  remove,
  stop,
  stopTopics,
  update,
} from './operations.ts'
import type { Rule } from './rule.ts'
import { inTurn } from './waiting.ts'

const ROUNDS = 10
const ROOM = groupTopic('room')

/** Who goes while others come and join, on whichever node. */
export function rulesOfRacingDepartures(rule: Rule): void {
  rule(
    'A stop of a group and a join at once: who has joined before is stopped, who joins after is not',
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      for (let round = 0; round < ROUNDS; round += 1) {
        const token = `ann-${round}`
        await here.append(initialise(token))
        const [[stopped], [joined]] = await inTurn(
          round,
          () => here.append(stopTopics([ROOM])),
          () => there.provider.append([join(token, 'room')]),
        )
        assert.ok(joined && 'id' in joined, 'only who is in the group can be hit')
        const isHit = joined.id < stopped!.id
        assert.deepEqual(
          stopped!.stopped!.map(({ publicToken }) => publicToken),
          isHit ? [token] : [],
        )
        for (const { provider } of [here, there]) {
          const found = await provider.getClient(hashOf(token))
          assert.equal(found === 'stopped', isHit, `joined at ${joined.id}, stopped at ${stopped!.id}`)
        }
        await here.append(stop(token))
      }
    },
  )

  rule(
    'A stop and an initialise at once: who was there before is stopped, who comes after is not',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      for (let round = 0; round < ROUNDS; round += 1) {
        await here.append(
          initialiseAs('ann', { groups: ['room'] }, { privateTokenHash: hashOf(`old ${round}`) }),
        )
        const fresh = initialiseAs('ann', { groups: ['room'] }, { privateTokenHash: hashOf(`new ${round}`) })
        const other = initialiseAs('bob', { groups: ['room'] }, { privateTokenHash: hashOf(`bob ${round}`) })
        const [[stopped], [again, bob]] = await inTurn(
          round,
          () => here.append(stopTopics(['c:ann', ROOM])),
          () => there.provider.append([fresh, other]),
        )
        if ('id' in again!) assert.ok(again.id > stopped!.id, 'a token is free when its client was stopped')
        else assert.deepEqual(again, { refused: 'COMET_CLIENT_ALREADY_EXISTS' })
        assert.ok(bob && 'id' in bob)
        const hit = ['ann', ...(bob.id < stopped!.id ? ['bob'] : [])]
        assert.deepEqual(stopped!.stopped!.map(({ publicToken }) => publicToken).sort(), hit)
        const found = async (hash: string) => typeof (await here.provider.getClient(hash))
        assert.equal(await found(fresh.privateTokenHash), 'id' in again! ? 'object' : 'undefined')
        assert.equal(await found(other.privateTokenHash), hit.includes('bob') ? 'string' : 'object')
        await here.append(stop('ann', 'bob'))
      }
    },
  )

  rule(
    'What comes late for an old bearer of a token does not touch the new one, which joins meanwhile',
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      let old = await here.initialise(initialiseAs('ann', { groups: ['room'] }))
      for (let round = 0; round < ROUNDS; round += 1) {
        const { generation } = old
        await here.append(remove('ann', generation))
        const [late, [initialised, joined]] = await Promise.all([
          here.provider.append([
            leave('ann', 'room', { generation }),
            remove('ann', generation),
            update('ann', { displayName: 'Old', generation }),
          ]),
          there.append(initialiseAs('ann', { groups: ['room'] }), join('ann', 'late')),
        ])
        for (const outcome of late) assert.deepEqual(outcome, { refused: 'COMET_CLIENT_DOES_NOT_EXIST' })
        assert.equal(joined!.unchanged, undefined)
        old = (await here.record(hashOf('ann'))).client
        assert.deepEqual(old, { ...initialised!.client!, groups: ['room', 'late'] })
      }
    },
  )

  rule('A removal and a join or leave at once leave each group once', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      const { generation } = await here.initialise(initialiseAs('ann', { groups: ['a', 'b'] }))
      await inTurn(
        round,
        () => here.append(remove('ann', generation)),
        () => there.provider.append([leave('ann', 'a'), join('ann', 'c')]),
      )
      const told = (await here.told()).filter(
        (entry) => 'generation' in entry && entry.generation === generation,
      )
      assert.equal(told.at(-1)!.kind, 'remove', 'nothing comes after the removal')
      const groupsOf = (kind: 'join' | 'leave') =>
        told.flatMap((entry) => (entry.kind === kind ? [entry.group] : []))
      assert.deepEqual(groupsOf('leave').toSorted(), groupsOf('join').toSorted())
    }
  })

  rule(
    'A sweep and a join at once: who joins is removed and leaves, or is not there to join',
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      await here.sweep()
      const tokens = Array.from({ length: ROUNDS }, (_, index) => `client-${index}`)
      await here.append(...tokens.map((token) => initialise(token, { leaseSeconds: 1 })))
      await nodes.pass(2)
      const joins = Promise.all(tokens.map((token) => there.provider.append([join(token, 'room')])))
      const [removed, outcomes] = await Promise.all([here.provider.removeExpired(), joins])
      assert.equal(removed.length, ROUNDS)
      for (const { client } of removed) {
        const outcome = outcomes.flat()[tokens.indexOf(client.publicToken)]!
        assert.deepEqual(client.groups, 'id' in outcome ? ['room'] : [])
        const told = (await there.told()).filter(
          (entry) => 'generation' in entry && entry.generation === client.generation,
        )
        const expected = 'id' in outcome ? ['join', 'leave', 'remove'] : ['remove']
        assert.deepEqual(
          told.map(({ kind }) => kind),
          expected,
        )
      }
    },
  )
}
