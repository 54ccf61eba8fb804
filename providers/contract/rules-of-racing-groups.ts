import assert from 'node:assert/strict'
import { groupTopic } from '../../lib/topics.ts'
import { hashOf, initialise, join, leave, send, update } from './operations.ts'
import type { Rule } from './rule.ts'
import { inTurn, repeat, turns } from './waiting.ts'

const ROUNDS = 10
const ROOM = groupTopic('room')

/** Groups change in one order with all else, on whichever node. */
export function rulesOfRacingGroups(rule: Rule): void {
  rule(
    'A send and a join or leave at once have one order, and the membership says which',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      await here.append(initialise('ann'))
      for (let round = 0; round < ROUNDS; round += 1) {
        const change = round % 2 === 0 ? join('ann', 'room') : leave('ann', 'room')
        const [changedAt, sentAt] = await inTurn(
          Math.floor(round / 2),
          () => here.appendOne(change),
          () => there.appendOne(send('Chat', { topics: [ROOM] })),
        )
        const told = (await there.told()).slice(-2)
        assert.deepEqual(
          told.map(({ id }) => id),
          [changedAt, sentAt].toSorted((a, b) => a - b),
        )
        assert.equal(told.find(({ id }) => id === changedAt)!.kind, change.kind)
        const { joined, left } = (await there.record(hashOf('ann'))).memberships.at(-1)!
        assert.equal(change.kind === 'join' ? joined : left, changedAt)
      }
    },
  )

  rule(
    'Who reads amid joins and leaves finds the memberships as of the position that is answered',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      await here.append(initialise('ann'))
      const found: { readonly asOf: number; readonly changedAt: number; readonly isMember: boolean }[] = []
      let isOver = false
      const read = async () => {
        const { client, memberships, asOf } = await there.record(hashOf('ann'))
        const isMember = memberships.some(({ left }) => left === undefined)
        assert.deepEqual(client.groups, isMember ? ['room'] : [], 'groups and memberships are read as one')
        const changedAt = Math.max(0, ...memberships.map(({ joined, left }) => left ?? joined))
        found.push({ asOf, changedAt, isMember })
      }
      const change = async () => {
        for (let round = 0; round < ROUNDS; round += 1) {
          await here.appendOne(join('ann', 'room'))
          await turns(round % 3)
          await here.appendOne(leave('ann', 'room'))
        }
      }
      const changing = change().finally(() => {
        isOver = true
      })
      await Promise.all([changing, repeat(read, () => !isOver)])
      const changes = (await here.told()).filter(({ kind }) => kind === 'join' || kind === 'leave')
      for (const { asOf, changedAt, isMember } of found) {
        const newest = changes.findLast(({ id }) => id <= asOf)
        const expected = { changedAt: newest?.id ?? 0, isMember: newest?.kind === 'join' }
        assert.deepEqual({ changedAt, isMember }, expected, `as of ${asOf}`)
      }
    },
  )

  rule('Of two nodes that join or leave for one client at once, one adds an entry', async ({ open }) => {
    const nodes = [await open(), await open()]
    await nodes[0]!.append(initialise('ann'))
    for (let round = 0; round < ROUNDS; round += 1) {
      const change = round % 2 === 0 ? join('ann', 'room') : leave('ann', 'room')
      const before = (await nodes[0]!.told()).length
      const done = (await Promise.all(nodes.map((node) => node.append(change)))).flat()
      assert.deepEqual(done.map(({ unchanged }) => unchanged ?? false).toSorted(), [false, true])
      assert.equal((await nodes[0]!.told()).length, before + 1)
    }
  })

  rule('Of two nodes that join the last group allowed at once, one succeeds', async ({ open }) => {
    const nodes = [await open(), await open()]
    await nodes[0]!.append(initialise('ann'))
    for (let round = 0; round < ROUNDS; round += 1) {
      const last = (index: number) => join('ann', `${round} ${index}`, { maxGroups: round + 1 })
      const outcomes = await Promise.all(nodes.map(({ provider }, index) => provider.append([last(index)])))
      assert.equal(outcomes.flat().filter((outcome) => 'id' in outcome).length, 1)
      assert.equal((await nodes[1]!.record(hashOf('ann'))).client.groups.length, round + 1)
    }
  })

  rule('Two updates at once are both done', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    await here.append(initialise('ann'))
    for (let round = 0; round < ROUNDS; round += 1) {
      await inTurn(
        round,
        () => here.append(update('ann', { displayName: `name ${round}` })),
        () => there.append(update('ann', { data: round }), join('ann', `group ${round}`)),
      )
      const { displayName, data, groups } = (await there.record(hashOf('ann'))).client
      assert.deepEqual([displayName, data, groups.length], [`name ${round}`, round, round + 1])
    }
  })
}
