import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { send } from '../../providers/contract/operations.ts'
import { asAnother } from './sqlite-another-user.ts'
import { canMakeDisk, withDisk } from './sqlite-disk.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

const testWithDisk = canMakeDisk ? test : test.skip

afterEach(disposeStores)

/** A file with a channel in it, closed, in a folder that all may look into. */
async function withChannel(): Promise<SqliteStore> {
  const store = createStore()
  const node = await store.open()
  await node.append(
    ...Array.from({ length: 200 }, () => send('Chat', { contents: JSON.stringify('x'.repeat(2000)) })),
  )
  await store.closeAll()
  chmodSync(store.folder, 0o755)
  return store
}

function damage(file: string, offset: number): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(4096, 0xff), 0, 4096, offset)
  closeSync(descriptor)
}

describe('A provider does not open, and says what to do about', () => {
  test('a folder that does not exist', async () => {
    const store = createStore()
    const file = join(store.folder, 'nowhere', 'app.db')
    await expect(store.open({ file })).rejects.toThrow(
      `${file}: its folder, or what it links to, does not exist. Create it first`,
    )
    mkdirSync(join(store.folder, 'nowhere'))
    await store.open({ file })
  })

  test('a link to nothing', async () => {
    const store = createStore()
    symlinkSync(join(store.folder, 'nothing.db'), store.file)
    await expect(store.open()).rejects.toThrow(/app\.db: its folder, or what it links to, does not exist/)
    expect(readdirSync(store.folder)).toEqual(['app.db'])
  })

  test('a folder that is a file', async () => {
    const store = createStore()
    writeFileSync(store.file, '')
    const file = join(store.file, 'app.db')
    await expect(store.open({ file })).rejects.toThrow(
      `${file}: its folder, or what it links to, does not exist`,
    )
  })

  test('a file that is a folder', async () => {
    const store = createStore()
    await expect(store.open({ file: store.folder })).rejects.toThrow(
      `${store.folder}: this cannot be opened as a file. Check that it is no folder`,
    )
  })

  test('a file that is no database, and leaves it as it is', async () => {
    const store = createStore()
    const text = 'The minutes of a meeting. '.repeat(500)
    writeFileSync(store.file, text)
    await expect(store.open()).rejects.toThrow(
      `${store.file}: this is no SQLite database. Give the channel a file`,
    )
    expect(readFileSync(store.file, 'utf8')).toBe(text)
    expect(readdirSync(store.folder)).toEqual(['app.db'])
  })

  test('a file whose first page is damaged', async () => {
    const store = await withChannel()
    damage(store.file, 100)
    await expect(store.open()).rejects.toThrow(/app\.db: the file is damaged\. Restore it from a backup/)
  })

  test('a file that is damaged where its log is', async () => {
    const store = await withChannel()
    for (let page = 20; page < 60; page += 1) damage(store.file, page * 4096)
    const { provider, listener } = store.node()
    const open = provider.open('chat', listener, { seconds: 600, messages: 1000, bytes: 1e8 })
    await expect(open).rejects.toThrow(
      /app\.db: the file is damaged\. Restore it from a backup.*\(SQLITE_CORRUPT\)/,
    )
    // Nobody is told of a log that was not read whole.
    expect(listener.calls).toBe(0)
  })

  test('a file that it may not write to, until it may', async () => {
    const store = await withChannel()
    chmodSync(store.folder, 0o777)
    chmodSync(store.file, 0o444)
    const before = readFileSync(store.file)
    const { provider, listener } = store.node()
    const open = () => provider.open('chat', listener, { seconds: 600, messages: 1000, bytes: 1e8 })
    await expect(asAnother(open)).rejects.toThrow(
      `${store.file}: the file or its folder cannot be written to. Check their owner and mode`,
    )
    expect(readFileSync(store.file).equals(before)).toBe(true)
    for (const each of readdirSync(store.folder)) chmodSync(join(store.folder, each), 0o666)
    await asAnother(open)
    expect(listener.told).toHaveLength(200)
  })

  test('a file in a folder that it may not write to', async () => {
    const store = await withChannel()
    chmodSync(store.file, 0o666)
    chmodSync(store.folder, 0o555)
    await expect(asAnother(() => store.open())).rejects.toThrow(
      `${store.file}: the file or its folder cannot be written to. Check their owner and mode`,
    )
    const file = join(store.folder, 'new.db')
    await expect(asAnother(() => store.open({ file }))).rejects.toThrow(
      `${file}: the file or its folder cannot be written to. Check their owner and mode`,
    )
    chmodSync(store.folder, 0o755)
    expect(readdirSync(store.folder)).toEqual(['app.db'])
  })

  testWithDisk('a file on a disk that is read-only, until it is not', async () => {
    const store = createStore()
    await withDisk(store, '4m', async (remount) => {
      await (await store.open()).append(send())
      await store.closeAll()
      remount('ro')
      await expect(store.open()).rejects.toThrow(/app\.db: the file system is read-only/)
      remount('rw')
      expect((await store.open()).listener.told).toHaveLength(1)
    })
  })

  test('a file that it may not read', async () => {
    const store = await withChannel()
    chmodSync(store.file, process.getuid?.() === 0 ? 0o600 : 0o000)
    await expect(asAnother(() => store.open())).rejects.toThrow(
      /app\.db: this cannot be opened as a file\. Check .* owner and mode/,
    )
    chmodSync(store.file, 0o600)
    expect((await store.open()).listener.told).toHaveLength(200)
  })

  test('a file that a connection has for itself alone, until it lets go', async () => {
    const store = await withChannel()
    const app = store.connect()
    app.pragma('locking_mode = EXCLUSIVE')
    app.exec('CREATE TABLE orders (id INTEGER)')
    await expect(store.open({ lockTimeoutSeconds: 0.1 })).rejects.toThrow(
      /been in the way for longer than 0\.1 s: .* reads from a file that has no write-ahead log yet \(SQLITE_BUSY\)/,
    )
    app.close()
    expect((await store.open()).listener.told).toHaveLength(200)
  })
})
