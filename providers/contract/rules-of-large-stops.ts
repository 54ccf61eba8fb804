import assert from 'node:assert/strict'
import { groupTopic } from '../../lib/topics.ts'
import { hashOf, initialise, initialiseAs, join, renewal, stopTopics, update } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'
import { eventually } from './waiting.ts'

/** More than a store may remove in one step. */
const AUDIENCE = 250
const BATCH = 50

/** Those of the audience whom the rule looks at: the first, and some that may have to wait. */
const LOOKED_AT = [0, 120, 249]

const ROOM = groupTopic('room')

/** A stop may be carried out in steps, and nobody may see it. */
export function rulesOfLargeStops(rule: Rule): void {
  rule(
    'From the entry of a stop on all whom it hits are stopped on every node, however many',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      await here.append(initialise('late'))
      const generations: number[] = []
      while (generations.length < AUDIENCE) {
        const some = Array.from({ length: BATCH }, (_, index) => `client ${generations.length + index}`)
        const done = await here.append(...some.map((token) => initialiseAs(token, { groups: ['room'] })))
        generations.push(...done.map(({ id }) => id))
      }
      const isTold = stopIsTold(there)
      const stopping = here.append(stopTopics([ROOM]))
      await isTold
      await there.append(join('late', 'room'))
      for (const index of LOOKED_AT) {
        const [publicToken, generation] = [`client ${index}`, generations[index]!]
        assert.equal(await there.provider.getClient(hashOf(publicToken)), 'stopped')
        assert.equal(await there.renew(renewal({ publicToken, generation })), 'gone')
        assert.equal(await there.refusal(update(publicToken, { data: 1 })), 'COMET_CLIENT_DOES_NOT_EXIST')
        const limits = { maxClients: LOOKED_AT.length + 1, privateTokenHash: hashOf(`new ${index}`) }
        const fresh = initialiseAs(publicToken, { groups: ['room'] }, limits)
        assert.deepEqual((await there.initialise(fresh)).groups, ['room'], 'its public token is free')
      }
      const [done] = await stopping
      const stopped = done!.stopped!.map(({ generation }) => generation)
      assert.deepEqual(
        stopped.toSorted((a, b) => a - b),
        generations,
      )
      for (const node of [here, there]) {
        const leaves = (await node.told()).flatMap((entry) =>
          entry.kind === 'leave' ? [entry.generation] : [],
        )
        assert.deepEqual(
          leaves.toSorted((a, b) => a - b),
          generations,
          'each has left once, and nobody else',
        )
        const expected = [...LOOKED_AT.map((index) => `client ${index}`), 'late'].sort().join()
        const isListed = async () => (await node.listed([ROOM])).join() === expected
        await eventually('those are listed who came after the stop', isListed)
      }
    },
  )
}

function stopIsTold({ listener }: ProviderNode): Promise<void> {
  return new Promise((resolve) => {
    listener.onEntries = (entries) => {
      if (entries.some(({ kind }) => kind === 'stop')) resolve()
    }
  })
}
