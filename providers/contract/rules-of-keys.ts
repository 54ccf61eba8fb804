import assert from 'node:assert/strict'
import { initialise, remove, send } from './operations.ts'
import type { Rule } from './rule.ts'

export function rulesOfKeys(rule: Rule): void {
  rule('A repetition with a key answers the first id and stores nothing', async ({ open }) => {
    const node = await open()
    const [first] = await node.append(send('Chat', { key: 'order 17' }))
    await node.append(send('Between'))
    const [again] = await node.append(send('Chat', { key: 'order 17' }))
    assert.deepEqual(again, first)
    assert.equal((await node.told()).length, 2)
    assert.equal((await open()).listener.log.entries.length, 2)
  })

  rule('A repetition within the same append is one, too', async ({ open }) => {
    const node = await open()
    const [first, again, other] = await node.append(
      send('Chat', { key: 'k' }),
      send('Chat', { key: 'k' }),
      send('Chat', { key: 'K' }),
    )
    assert.equal(again!.id, first!.id)
    assert.notEqual(other!.id, first!.id)
    assert.equal((await node.told()).length, 2)
  })

  rule('A key is known to every provider of the store', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const id = await here.appendOne(send('Chat', { key: 'k' }))
    assert.equal(await there.appendOne(send('Chat', { key: 'k' })), id)
    assert.equal((await there.told()).length, 1)
  })

  rule('Of two nodes that repeat a key at once, one stores', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (let round = 0; round < 20; round += 1) {
      const keyed = send('Chat', { key: `key ${round}` })
      const [one, other] = await Promise.all([here.appendOne(keyed), there.appendOne(keyed)])
      assert.equal(one, other)
    }
    assert.equal((await here.told()).length, 20)
  })

  rule('A repetition answers the first id also when its receiver is gone', async ({ open }) => {
    const node = await open()
    const { generation } = await node.initialise(initialise('ann'))
    const toAnn = send('Chat', { topics: ['c:ann'], receiver: 'ann', key: 'k' })
    const id = await node.appendOne(toAnn)
    await node.append(remove('ann', generation))
    assert.equal(await node.appendOne(toAnn), id)
  })

  rule('A refused send leaves its key unused', async ({ open }) => {
    const node = await open()
    const toAnn = send('Chat', { topics: ['c:ann'], receiver: 'ann', key: 'k' })
    assert.equal(await node.refusal(toAnn), 'COMET_CLIENT_DOES_NOT_EXIST')
    await node.append(initialise('ann'))
    const id = await node.appendOne(toAnn)
    assert.ok((await node.told()).some((entry) => entry.id === id && entry.kind === 'message'))
  })
}
