import assert from 'node:assert/strict'
import {
  claim,
  hashOf,
  initialise,
  initialiseAs,
  join,
  leave,
  remove,
  reply,
  stopTopics,
  update,
} from './operations.ts'
import type { Rule } from './rule.ts'

/** As all else: for a store that begins a new life these rules end there. */
export function rulesOfRestartedGroups(rule: Rule): void {
  rule('After a restart members are members, of what they were and are', async ({ open, restart }) => {
    const before = await open()
    const first = { groups: ['room', 'lobby'], userId: 'user', sessionId: 'session' }
    await before.append(initialiseAs('ann', first), initialise('bob'), join('bob', 'room'))
    await before.append(
      leave('ann', 'lobby'),
      join('ann', 'last'),
      update('ann', { displayName: 'New', data: [1] }),
    )
    const { asOf: _before, ...record } = await before.record(hashOf('ann'))
    const after = await restart()
    if (!after) return
    const { asOf: _after, ...kept } = await after.record(hashOf('ann'))
    assert.deepEqual(kept, record)
    for (const topic of ['u:user', 's:session', 'g:last'])
      assert.deepEqual(await after.listed([topic]), ['ann'])
    assert.deepEqual(await after.listed(['g:room']), ['ann', 'bob'])
    assert.deepEqual(await after.listed(['g:lobby']), [])
    const another = initialiseAs('eve', { userId: 'user' }, { maxClientsPerUser: 1 })
    assert.equal(await after.refusal(another), 'COMET_USER_HAS_TOO_MANY_CLIENTS')
    assert.equal((await after.append(join('ann', 'room')))[0]!.unchanged, true)
    assert.equal((await after.append(leave('ann', 'lobby')))[0]!.unchanged, true)
    const [done] = await after.append(stopTopics(['g:room']))
    assert.deepEqual(done!.stopped!.map(({ publicToken }) => publicToken).sort(), ['ann', 'bob'])
    const added = (await after.told()).filter(({ id }) => id > done!.id)
    const left = added.map((entry) => entry.kind === 'leave' && `${entry.client.publicToken} ${entry.group}`)
    assert.deepEqual(left.toSorted(), ['ann last', 'ann room', 'bob room'])
  })

  rule('After a restart claims are known, and what they came to', async ({ open, pass, restart }) => {
    const before = await open()
    await before.sweep()
    const [ann, bob] = [
      await before.initialise(initialise('ann')),
      await before.initialise(initialise('bob')),
    ]
    const mine = ['settled', 'runs', 'dies'].map((key) => {
      return claim(ann, key, 'run 1', key === 'dies' ? { runSeconds: 1 } : {})
    })
    await before.claim(...mine, claim(bob, 'runs', 'run 1'))
    await before.provider.settle([reply(mine[0]!, '"done"')])
    await before.append(remove('bob', bob.generation))
    const after = await restart(undefined, () => pass(2))
    if (!after) return
    const others = mine.map((each) => ({ ...each, run: 'run 2' }))
    assert.deepEqual(await after.claim(...others), [{ reply: '"done"' }, 'running', 'unknown'])
    assert.deepEqual(await after.claim(mine[1]!), ['claimed'])
    assert.deepEqual(await after.claim(claim(bob, 'runs', 'run 2')), ['gone'])
    await after.provider.settle([reply(mine[1]!, '"done later"')])
    assert.deepEqual(await after.claim(others[1]!), [{ reply: '"done later"' }])
  })
}
