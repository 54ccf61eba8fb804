import assert from 'node:assert/strict'
import type { Done } from '../../lib/comet-state-provider.ts'
import { EVERYBODY } from '../../lib/topics.ts'
import { hashOf, initialise, send, stop, stopTopics } from './operations.ts'
import { AMPLE_RETENTION } from './provider-nodes.ts'
import type { Rule } from './rule.ts'

/** How many keys, and how many stopped tokens, are remembered at least. */
const REMEMBERED = 1000

/** How many come with one append. */
const BATCH = 100

/** How little may be forgotten, and how late. What is remembered beyond this no provider is asked about. */
export function rulesOfRemembering(rule: Rule): void {
  rule('A key is remembered for the retention time', async ({ open, retentionSeconds, passAlmost }) => {
    const retention = { ...AMPLE_RETENTION, seconds: retentionSeconds }
    const node = await open({ retention })
    await node.sweep()
    const [first] = await node.append(send('Chat', { key: 'order 17' }))
    await passAlmost(retentionSeconds)
    await node.sweep()
    assert.deepEqual(await node.append(send('Chat', { key: 'order 17' })), [first])
  })

  rule('A stopped token is remembered for the retention time', async (nodes) => {
    const { open, retentionSeconds, passAlmost } = nodes
    const node = await open({ retention: { ...AMPLE_RETENTION, seconds: retentionSeconds } })
    await node.sweep()
    await node.append(initialise('ann'), stop('ann'))
    await passAlmost(retentionSeconds)
    await node.sweep()
    assert.equal(await node.provider.getClient(hashOf('ann')), 'stopped')
    assert.equal(await node.refusal(initialise('ann')), 'COMET_CLIENT_ALREADY_EXISTS')
  })

  rule('A message is retained for the retention time', async ({ open, retentionSeconds, passAlmost }) => {
    const retention = { ...AMPLE_RETENTION, seconds: retentionSeconds }
    const node = await open({ retention })
    await node.sweep()
    await node.append(send('One'), initialise('ann'), send('Two'))
    await passAlmost(retentionSeconds)
    await node.sweep()
    const { log } = (await open({ retention })).listener
    assert.deepEqual(log.entries, await node.told())
  })

  rule(`${REMEMBERED} keys are remembered, also when their messages are trimmed`, async ({ open }) => {
    const node = await open({ retention: { ...AMPLE_RETENTION, messages: 10 } })
    const rounds = Array.from({ length: REMEMBERED / BATCH }, (_, round) => {
      return Array.from({ length: BATCH }, (_, index) => send('Chat', { key: `order ${round}-${index}` }))
    })
    const first: Done[][] = []
    for (const sends of rounds) first.push(await node.append(...sends))
    await node.sweep()
    const again: Done[][] = []
    for (const sends of rounds) again.push(await node.append(...sends))
    assert.deepEqual(again, first)
  })

  rule(`${REMEMBERED} stopped tokens are remembered`, async ({ open }) => {
    const node = await open()
    const rounds = Array.from({ length: REMEMBERED / BATCH }, (_, round) => {
      return Array.from({ length: BATCH }, (_, index) => initialise(`client ${round}-${index}`))
    })
    for (const operations of rounds) await node.append(...operations)
    await node.append(stopTopics([EVERYBODY]))
    await node.sweep()
    for (const [round, operations] of rounds.entries()) {
      assert.equal(await node.provider.getClient(hashOf(`client ${round}-0`)), 'stopped')
      for (const outcome of await node.provider.append(operations)) {
        assert.deepEqual(outcome, { refused: 'COMET_CLIENT_ALREADY_EXISTS' })
      }
    }
  })
}
