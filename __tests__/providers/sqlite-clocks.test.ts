import { afterEach, describe, expect, test } from '@jest/globals'
import { initialise, renewal, send, stop } from '../../providers/contract/operations.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(disposeStores)

describe('The store’s clock', () => {
  test('may have fractions of a millisecond, and so may a retention', async () => {
    const store = createStore()
    store.nowMs += 0.25
    const node = await store.open({ retention: { seconds: 1.0015 } })
    const ann = await node.initialise(initialise('ann', { leaseSeconds: 1.0015 }))
    const [first] = await node.append(send('Chat', { key: 'k' }), initialise('eve'), stop('eve'))
    store.nowMs += 0.5
    expect(await node.append(send('Chat', { key: 'k' }))).toEqual([first])
    expect(await node.renew(renewal(ann, { seconds: 1.0015 }))).toBe('kept')
    expect(await node.sweep()).toEqual([])
    store.nowMs += 1200
    expect(await node.sweep()).toEqual(['ann'])
  })

  test('that is set back ends no lease early, and none late once it goes on', async () => {
    const store = createStore()
    const node = await store.open()
    await node.sweep()
    await node.append(initialise('ann', { leaseSeconds: 20 }))
    store.nowMs -= 3600 * 1000
    // Before anybody swept since.
    await node.append(initialise('bob', { leaseSeconds: 20 }))
    expect(await node.sweep()).toEqual([])
    for (let passed = 0; passed < 18; passed += 6) {
      store.nowMs += 6000
      expect(await node.sweep()).toEqual([])
    }
    store.nowMs += 6000
    expect(await node.sweep()).toEqual(['ann', 'bob'])
  })

  test('that is set forward ends no lease', async () => {
    const store = createStore()
    const node = await store.open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann', { leaseSeconds: 8 }))
    store.nowMs += 24 * 3600 * 1000
    expect(await node.sweep()).toEqual([])
    expect(await node.renew(renewal(ann, { seconds: 8 }))).toBe('kept')
    store.nowMs += 9000
    expect(await node.sweep()).toEqual(['ann'])
  })
})
