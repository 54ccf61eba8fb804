import { afterEach, describe, expect, test } from '@jest/globals'
import { send } from '../../providers/contract/operations.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(disposeStores)

describe('A message in a transaction of the app whose key was used long ago', () => {
  test('is sent when the transaction is committed, and not before', async () => {
    const store = createStore()
    const node = await store.open({ retention: { seconds: 5 } })
    const keyed = send('Order', { key: 'order 17' })
    await node.append(keyed)
    // Not swept since: the key is still in the file, and means nothing any more.
    store.nowMs += 6000
    const app = store.connect()
    app.pragma('synchronous = FULL')
    for (const [end, expected] of [
      ['ROLLBACK', { code: 'COMET_ROLLED_BACK' }],
      ['COMMIT', undefined],
    ] as const) {
      app.exec('BEGIN')
      let isSettled = false
      const sent = node.provider.sendWithin!(app, keyed)
      const settled = sent
        .catch((error: unknown) => error)
        .finally(() => {
          isSettled = true
        })
      await node.provider.catchUp()
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      expect(isSettled).toBe(false)
      app.exec(end)
      if (expected) expect(await settled).toMatchObject(expected)
      else expect(await settled).toMatchObject({ id: node.listener.head })
    }
  })
})
