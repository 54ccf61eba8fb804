import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { send } from '../../providers/contract/operations.ts'
import { asAnother, isRoot, NOBODY } from './sqlite-another-user.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

afterEach(disposeStores)

const testAsRoot = isRoot ? test : test.skip

const nodesFile = ({ file }: SqliteStore) => `${file}-comet-nodes`

/** A database of the app, empty as yet, that is another user's and may be used by that one's group. */
function ofAnother(store: SqliteStore): void {
  writeFileSync(store.file, '')
  chmodSync(store.file, 0o660)
  chownSync(store.file, NOBODY, NOBODY)
}

describe('The file that tells who lives', () => {
  test('may be used by those who may use the database', async () => {
    const store = createStore()
    for (const mode of [0o600, 0o640, 0o666]) {
      writeFileSync(store.file, '')
      chmodSync(store.file, mode)
      const node = await store.open()
      expect(statSync(nodesFile(store)).mode & 0o777).toBe(mode)
      await node.provider.close()
    }
  })

  testAsRoot("is the database's owner's when root makes it, who then can open beside root", async () => {
    const store = createStore()
    chmodSync(store.folder, 0o777)
    ofAnother(store)
    const first = await store.open()
    const { uid, gid, mode } = statSync(nodesFile(store))
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: NOBODY, gid: NOBODY, mode: 0o660 })
    const second = await asAnother(() => store.open())
    const id = await second.appendOne(send())
    expect((await first.told()).map((entry) => entry.id)).toEqual([id])
  })

  test('is named when it cannot be opened', async () => {
    const store = createStore()
    mkdirSync(nodesFile(store))
    await expect(store.open()).rejects.toThrow(
      `${nodesFile(store)}: this cannot be opened as a file. Check that it is no folder`,
    )
  })

  testAsRoot('stays where the last one that leaves may not remove it, and costs no epoch', async () => {
    const store = createStore()
    // In such a folder each may remove only what is his.
    chmodSync(store.folder, 0o1777)
    ofAnother(store)
    writeFileSync(nodesFile(store), '')
    chmodSync(nodesFile(store), 0o666)
    const epochs = await asAnother(async () => {
      const node = await store.open({ durability: 'normal' })
      await node.append(send())
      await node.provider.close()
      return [node, await store.open()].map(({ listener }) => listener.log.epoch)
    })
    expect(epochs[1]).toBe(epochs[0])
    expect(statSync(nodesFile(store)).uid).toBe(0)
  })
})
