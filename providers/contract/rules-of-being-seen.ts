import assert from 'node:assert/strict'
import { hashOf, initialise, renewal, send } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'

/** How early a timer may ring, and how far two clocks of one machine may be apart. */
const TOLERANCE_MS = 10

/** More than that. */
const MOMENT_MS = 30

/**
 * `lastSeenAt` is exact to a third of the idle time. All of that third is the manager's, which renews no more often: a
 * provider writes the time of each renewal as it comes.
 */
export function rulesOfBeingSeen(rule: Rule): void {
  rule('Each renewal that changes a lease says when the client was seen', async ({ open, passMoment }) => {
    const [here, there] = [await open(), await open()]
    const begunAt = performance.now()
    const ann = await here.initialise(initialise('ann'))
    let [{ lastSeenAt }, movedMs] = [ann, 0]
    for (const more of [
      { holder: 'page-1' },
      { holder: 'page-1', returns: false },
      { holder: 'page-2', take: true },
      { holder: 'page-2', goodbye: true },
    ]) {
      movedMs += await passMoment(MOMENT_MS)
      assert.equal(await here.renew(renewal(ann, more)), 'kept')
      const client = await read(there)
      const passedMs = performance.now() - begunAt + movedMs
      const since = [client.lastSeenAt - lastSeenAt, client.lastSeenAt - ann.lastSeenAt] as const
      assert.ok(since[0] >= MOMENT_MS - TOLERANCE_MS, `seen ${since[0]} ms later, after ${MOMENT_MS} or more`)
      assert.ok(since[1] <= passedMs + TOLERANCE_MS, `seen ${since[1]} ms later, within ${passedMs}`)
      assert.equal(client.createdAt, ann.createdAt)
      lastSeenAt = client.lastSeenAt
    }
  })

  rule('Nothing else says that a client was seen', async ({ open, passMoment }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    await here.renew(renewal(ann, { goodbye: true }))
    const { lastSeenAt } = await read(here)
    await passMoment(MOMENT_MS)
    assert.equal(await here.renew(renewal(ann, { holder: 'page-2' })), 'elsewhere')
    assert.equal(await here.renew(renewal(ann, { returns: false })), 'kept')
    assert.equal(await here.renew(renewal({ ...ann, generation: ann.generation - 1 })), 'gone')
    await there.append(send('Chat', { topics: ['c:ann'], receiver: 'ann' }))
    await there.sweep()
    for (const node of [here, there]) assert.equal((await read(node)).lastSeenAt, lastSeenAt)
  })
}

async function read(node: ProviderNode) {
  return (await node.record(hashOf('ann'))).client
}
