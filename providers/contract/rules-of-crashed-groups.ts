import assert from 'node:assert/strict'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { crashed, ignore } from './crashed.ts'
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
import type { ProviderNode } from './provider-node.ts'
import type { ProviderNodes } from './provider-nodes.ts'
import type { Rule } from './rule.ts'
import { turns } from './waiting.ts'

/** How many turns of the event loop after a call the crashes of a rule come. */
const MOMENTS = [0, 1, 3]
const MOMENTS_OF_A_STOP = [...MOMENTS, 8]

/** More than a store may remove in one step. */
const AUDIENCE = 250
const BATCH = 50

/** How many sweeps there can be until a stop that was cut off is carried out. */
const SWEEPS = 20

export function rulesOfCrashedGroups(rule: Rule): void {
  rule(
    'Memberships, updates and claims that were answered before a crash are there after it',
    async (nodes) => {
      const before = await nodes.open()
      const ann = await before.initialise(initialiseAs('ann', { groups: ['room', 'lobby'] }))
      const mine = [claim(ann, 'settled', 'run 1'), claim(ann, 'runs', 'run 1')]
      await before.append(leave('ann', 'lobby'), join('ann', 'last'))
      await before.claim(...mine)
      await before.provider.settle([reply(mine[0]!, '"done"')])
      await before.append(update('ann', { displayName: 'New' }))
      const record = await before.record(hashOf('ann'))
      const after = await crashed(nodes, before)
      if (!after) return
      assert.deepEqual(await after.record(hashOf('ann')), record)
      const others = mine.map((each) => ({ ...each, run: 'run 2' }))
      assert.deepEqual(await after.claim(...others), [{ reply: '"done"' }, 'running'])
    },
  )

  rule('A client and its groups come and go as one, also when a crash cuts it off', async (nodes) => {
    for (const moment of MOMENTS) {
      const node = await nodes.open()
      const token = `client-${moment}`
      const before = (await node.told()).length
      ignore(node.provider.append([initialiseAs(token, { groups: ['a', 'b'] })]))
      await turns(moment)
      const between = await crashed(nodes, node)
      if (!between) return
      const came = between.listener.told.slice(before).map(({ kind }) => kind)
      assert.deepEqual(came, came.length === 0 ? [] : ['initialise', 'join', 'join'])
      if (came.length === 0) await between.append(initialiseAs(token, { groups: ['a', 'b'] }))
      const { client } = await between.record(hashOf(token))
      assert.deepEqual(client.groups, ['a', 'b'])
      const present = (await between.told()).length
      ignore(between.provider.append([remove(token, client.generation)]))
      await turns(moment)
      const after = await crashed(nodes, between)
      if (!after) return
      const went = after.listener.told.slice(present).map(({ kind }) => kind)
      assert.deepEqual(went, went.length === 0 ? [] : ['leave', 'leave', 'remove'])
      assert.equal(
        typeof (await after.provider.getClient(hashOf(token))),
        went.length === 0 ? 'object' : 'undefined',
      )
      await after.provider.close()
    }
  })

  rule(
    'Whom a stop has hit is stopped, also when a crash cuts it off, and each is told of once',
    async (nodes) => {
      for (const moment of MOMENTS_OF_A_STOP) {
        const node = await nodes.open()
        await node.sweep()
        const tokens = Array.from({ length: AUDIENCE }, (_, index) => `client-${moment}-${index}`)
        for (let at = 0; at < AUDIENCE; at += BATCH) {
          const some = tokens.slice(at, at + BATCH)
          await node.append(...some.map((token) => initialiseAs(token, { groups: ['room', 'lobby'] })))
        }
        const before = (await node.told()).length
        ignore(node.provider.append([stopTopics(['g:room'], [tokens[0]!])]))
        await turns(moment)
        const after = await crashed(nodes, node)
        if (!after) return
        const [stop, ...left] = after.listener.told.slice(before)
        const hit = stop === undefined ? [] : tokens.slice(1)
        const found = await Promise.all(tokens.map((token) => after.provider.getClient(hashOf(token))))
        assert.deepEqual(
          tokens.filter((_, index) => found[index] === 'stopped'),
          hit,
        )
        const removed = await sweepUntil(nodes, after, before + 2 * hit.length + (stop ? 1 : 0))
        const leaves = (await after.told()).slice(before + 1)
        assert.deepEqual(
          leaves.map(leaverOf).toSorted(),
          hit.flatMap((token) => [`${token} lobby`, `${token} room`]).toSorted(),
        )
        // What the dead process had removed it could not say any more.
        const rest = leaves.slice(left.length).map((entry) => leaverOf(entry).split(' ')[0]!)
        assert.deepEqual(removed.toSorted(), [...new Set(rest)].toSorted())
        await after.append(stopTopics(['*']))
        await after.provider.close()
      }
    },
  )

  rule('A run that a crash has cut off is never followed by another', async (nodes) => {
    const ann = await (await nodes.open()).initialise(initialise('ann'))
    for (const moment of MOMENTS) {
      const node = await nodes.open()
      const mine = claim(ann, `key ${moment}`, 'run 1')
      let answer: unknown
      ignore(node.claim(mine).then(([outcome]) => (answer = outcome)))
      await turns(moment)
      await nodes.crash(node)
      const after = await nodes.open()
      const [outcome] = await after.claim({ ...mine, run: 'run 2' })
      assert.ok(
        outcome === 'running' || (outcome === 'claimed' && answer === undefined),
        `answered ${outcome}`,
      )
      assert.deepEqual(await after.claim({ ...mine, run: 'run 3' }), ['running'])
      await after.provider.close()
    }
  })
}

/** Sweeps until the log has so many entries, or for long. Answers with those who were told of as stopped. */
async function sweepUntil(nodes: ProviderNodes, node: ProviderNode, length: number): Promise<string[]> {
  const stopped: string[] = []
  for (let sweeps = 0; sweeps < SWEEPS; sweeps += 1) {
    for (const { client, reason } of await node.provider.removeExpired()) {
      assert.equal(reason, 'stopped')
      assert.deepEqual(client.groups, ['room', 'lobby'], 'as it was')
      stopped.push(client.publicToken)
    }
    if ((await node.told()).length >= length) break
    await nodes.pass(SWEEP_PERIOD_SECONDS)
  }
  return stopped
}

function leaverOf(entry: ProviderNode['listener']['told'][number]): string {
  assert.equal(entry.kind, 'leave')
  return entry.kind === 'leave' ? `${entry.client.publicToken} ${entry.group}` : ''
}
