import { copyFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { hashOf, initialise, renewal, send } from '../../providers/contract/operations.ts'
import { eventually } from '../support/eventually.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

afterEach(disposeStores)

const LOSSES: readonly (readonly [string, RegExp, (store: SqliteStore) => void])[] = [
  ['the file is deleted', /app\.db was deleted while it was open/, ({ file }) => rmSync(file)],
  [
    'the file is deleted with all beside it',
    /app\.db was deleted while it was open/,
    ({ file }) => {
      for (const each of ['', '-wal', '-shm']) rmSync(`${file}${each}`)
    },
  ],
  [
    'the file is replaced by a copy',
    /app\.db was replaced while it was open/,
    ({ file, folder }) => {
      copyFileSync(file, join(folder, 'copy'))
      renameSync(join(folder, 'copy'), file)
    },
  ],
  [
    'its -wal alone is deleted',
    /app\.db-wal was deleted while it was open/,
    ({ file }) => rmSync(`${file}-wal`),
  ],
]

describe.each(LOSSES)('When %s', (_, text, lose) => {
  test('nothing more is acknowledged, not even at once, and the node says so', async () => {
    const store = createStore()
    const node = await store.open()
    const ann = await node.initialise(initialise('ann'))
    lose(store)
    const { calls } = node.listener
    await expect(node.append(send('Lost'))).rejects.toThrow(text)
    expect(node.listener.isAvailable).toBe(false)
    const refused = [
      node.append(send('Lost')),
      node.renew(renewal(ann)),
      node.sweep(),
      node.record(hashOf('ann')),
      node.listed(),
      node.told(),
    ]
    for (const each of refused) await expect(each).rejects.toThrow(/Restart this process/)
    // Once: `unavailable`.
    expect(node.listener.calls).toBe(calls + 1)
  })

  test('a node that does nothing finds out', async () => {
    const store = createStore()
    const node = await store.open()
    lose(store)
    await eventually(() => !node.listener.isAvailable)
    await expect(node.append(send())).rejects.toThrow(text)
  })
})

test('A transaction of the app on a file that is lost is refused by code before anything is written to it', async () => {
  const store = createStore()
  const node = await store.open()
  const app = store.connect()
  app.pragma('synchronous = FULL')
  app.exec('BEGIN IMMEDIATE')
  rmSync(store.file)
  expect(() => node.provider.sendWithin!(app, send())).toThrow(
    expect.objectContaining({ code: 'COMET_PROVIDER_IS_UNAVAILABLE' }),
  )
  app.exec('ROLLBACK')
})

describe('When the file is moved away and back', () => {
  test('the node goes on, with all that it refused not to have stored in the meantime', async () => {
    const store = createStore()
    const [node, other] = [await store.open(), await store.open()]
    const first = await node.appendOne(send('First'))
    renameSync(store.folder, `${store.folder}-away`)
    const [refused] = await Promise.allSettled([node.append(send('Unknown', { key: 'k' }))])
    renameSync(`${store.folder}-away`, store.folder)
    expect(refused).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining('was deleted') },
    })
    await eventually(() => node.listener.isAvailable)
    const [again] = await node.append(send('Unknown', { key: 'k' }))
    expect((await node.told()).map(({ id }) => id)).toEqual([first, again!.id])
    expect(await other.told()).toEqual(await node.told())
    node.listener.assertSound()
  })
})

describe('After the file was deleted', () => {
  test('a node that closes leaves alone what is there in its place', async () => {
    const store = createStore()
    const old = await store.open({ durability: 'normal' })
    for (const file of readdirSync(store.folder)) rmSync(join(store.folder, file))
    const node = await store.open({ durability: 'normal' })
    await node.append(send())
    await old.provider.close()
    expect(readdirSync(store.folder)).toContain('app.db-comet-nodes')
    expect((await store.open({ durability: 'normal' })).listener.log.epoch).toBe(node.listener.log.epoch)
  })

  test('a new start begins a new life of the log, in a new file', async () => {
    const store = createStore()
    const node = await store.open()
    const id = await node.appendOne(send('Gone'))
    for (const each of ['', '-wal', '-shm']) rmSync(`${store.file}${each}`)
    await node.provider.close()
    store.nowMs += 1000
    const { epoch, trimmedThrough } = (await store.open()).listener.log
    expect(epoch).not.toBe(node.listener.log.epoch)
    expect(trimmedThrough).toBeGreaterThan(id)
  })
})
