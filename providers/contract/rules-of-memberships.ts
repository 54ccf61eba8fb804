import assert from 'node:assert/strict'
import { MAX_ENDED_MEMBERSHIPS, type Membership } from '../../lib/memberships.ts'
import { hashOf, initialise, initialiseAs, join, leave, send } from './operations.ts'
import { AMPLE_RETENTION } from './provider-nodes.ts'
import type { Rule } from './rule.ts'

/** How many come with one append. */
const BATCH = 20

/** A membership is an interval of ids, which is kept for who reads late. */
export function rulesOfMemberships(rule: Rule): void {
  rule('A membership that has ended is kept as long as the window reaches it', async ({ open }) => {
    const retention = { ...AMPLE_RETENTION, messages: 10 }
    const [here, there] = [await open({ retention }), await open({ retention })]
    const { generation } = await here.initialise(initialiseAs('ann', { groups: ['stays'] }))
    const [, left] = await here.append(join('ann', 'old'), leave('ann', 'old'))
    await here.append(...Array.from({ length: 9 }, () => send()))
    const [, endedLater] = await here.append(join('ann', 'later'), leave('ann', 'later'))
    await here.sweep()
    const early = await there.record(hashOf('ann'))
    assert.deepEqual(groupsIn(early.memberships), ['later', 'old', 'stays'], 'the window reaches all')
    assert.equal(early.lostThrough, undefined, 'nothing is dropped yet')
    await here.append(...Array.from({ length: 9 }, () => send()))
    await here.sweep()
    const { trimmedThrough } = (await open({ retention })).listener.log
    assert.ok(left!.id <= trimmedThrough, `trimmed through ${trimmedThrough}, left at ${left!.id}`)
    assert.ok(trimmedThrough < endedLater!.id, `trimmed through ${trimmedThrough}, left at ${endedLater!.id}`)
    await here.append(join('ann', 'last'), leave('ann', 'last'))
    for (const node of [here, there]) {
      const { memberships, lostThrough } = await node.record(hashOf('ann'))
      assert.deepEqual(
        groupsIn(memberships),
        ['last', 'later', 'stays'],
        'the oldest is not in the window any more',
      )
      const stays = memberships.find(({ group }) => group === 'stays')
      assert.deepEqual(stays, { group: 'stays', joined: generation })
      // Of a node that was open before, the window may reach further than that of the store.
      const said = `${lostThrough} of what ended at ${left!.id}, trimmed through ${trimmedThrough}`
      assert.ok(lostThrough !== undefined && left!.id - 1 <= lostThrough, said)
      assert.ok(lostThrough <= trimmedThrough, said)
    }
  })

  rule(
    `Of memberships that have ended the newest ${MAX_ENDED_MEMBERSHIPS} are kept, and what may be lost is said`,
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      await here.append(initialise('ann'), join('ann', 'stays'), join('ann', 'long'))
      const endings: number[] = []
      while (endings.length < MAX_ENDED_MEMBERSHIPS) {
        const groups = Array.from({ length: BATCH }, (_, index) => `g ${endings.length + index}`)
        const done = await here.append(
          ...groups.flatMap((group) => [join('ann', group), leave('ann', group)]),
        )
        endings.push(...done.filter((_, index) => index % 2 === 1).map(({ id }) => id))
      }
      const full = await there.record(hashOf('ann'))
      assert.equal(endedIn(full.memberships).length, MAX_ENDED_MEMBERSHIPS)
      assert.equal(full.lostThrough, undefined)
      await here.append(leave('ann', 'long'))
      for (const node of [here, there]) {
        const { client, memberships, lostThrough } = await node.record(hashOf('ann'))
        const ended = endedIn(memberships)
        assert.equal(ended.length, MAX_ENDED_MEMBERSHIPS)
        assert.ok(ended.includes('long'), 'the one that ended last is kept, however early it began')
        assert.ok(!ended.includes('g 0') && ended.includes('g 1'), 'the one that ended first goes')
        assert.deepEqual(client.groups, ['stays'])
        // Only what came before the leave entry was for a member.
        const [first, second] = endings as [number, number]
        const said = `all after ${lostThrough} is there, of memberships that ended at ${first} and ${second}`
        assert.ok(lostThrough !== undefined && first - 1 <= lostThrough && lostThrough < second, said)
      }
    },
  )

  rule('A membership outlives its join entry', async ({ open }) => {
    const retention = { ...AMPLE_RETENTION, messages: 1 }
    const node = await open({ retention })
    const { generation } = await node.initialise(initialiseAs('ann', { groups: ['first'] }))
    const joined = await node.appendOne(join('ann', 'second'))
    for (let round = 0; round < 3; round += 1) await node.append(send())
    await node.sweep()
    const later = await open({ retention })
    assert.ok(later.listener.log.trimmedThrough >= joined)
    const { client, memberships } = await later.record(hashOf('ann'))
    assert.deepEqual(client.groups, ['first', 'second'])
    assert.deepEqual(memberships, [
      { group: 'first', joined: generation },
      { group: 'second', joined },
    ])
  })
}

function groupsIn(memberships: readonly Membership[]): string[] {
  return memberships.map(({ group }) => group).sort()
}

function endedIn(memberships: readonly Membership[]): string[] {
  return memberships.filter(({ left }) => left !== undefined).map(({ group }) => group)
}
