import { existsSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { initialise, send } from '../../providers/contract/operations.ts'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(disposeStores)

function modeOf(file: string): string {
  return (statSync(file).mode & 0o777).toString(8)
}

async function namesTold(node: ProviderNode): Promise<string[]> {
  return (await node.told()).map((entry) => (entry.kind === 'message' ? entry.name : entry.kind))
}

/** What of this folder the process has open. */
function openIn(folder: string): string[] {
  const links = readdirSync('/proc/self/fd').map((descriptor) => {
    // The descriptor that lists them is closed by now.
    const link = `/proc/self/fd/${descriptor}`
    return existsSync(link) ? readlinkSync(link) : ''
  })
  return links.filter((path) => path.startsWith(folder))
}

describe('The file of an SqliteCometStateProvider', () => {
  test.each(['full', 'normal'] as const)(
    'is for its owner alone when created, durability %s',
    async (durability) => {
      const store = createStore()
      await (await store.open({ durability })).append(send())
      const files = readdirSync(store.folder).sort()
      expect(files).toEqual(['app.db', 'app.db-comet-nodes', 'app.db-shm', 'app.db-wal'])
      expect(files.map((file) => modeOf(join(store.folder, file)))).toEqual(files.map(() => '600'))
    },
  )

  test('keeps its mode when it is there already, be it empty or a database', async () => {
    const store = createStore()
    const empty = join(store.folder, 'empty.db')
    for (const file of [store.file, empty]) writeFileSync(file, '', { mode: 0o640 })
    store.connect().exec('CREATE TABLE orders (id INTEGER)')
    for (const file of [store.file, empty]) {
      await (await store.open({ file })).append(send())
      for (const each of [file, `${file}-wal`, `${file}-shm`]) expect(modeOf(each)).toBe('640')
    }
  })

  test('keeps channels apart by name, which differ by case as well', async () => {
    const store = createStore()
    const nodes = await Promise.all(['Chat', 'chat', 'chat-2'].map((name) => store.open({ name })))
    const [upper, lower, other] = nodes as [ProviderNode, ProviderNode, ProviderNode]
    await upper.append(initialise('ann'), send('Upper'))
    await lower.append(initialise('ann'), send('Lower', { key: 'k' }))
    await other.append(send('Other', { key: 'k' }))
    await store.closeAll()
    const again = await Promise.all(['Chat', 'chat', 'chat-2'].map((name) => store.open({ name })))
    expect(await Promise.all(again.map(namesTold))).toEqual([
      ['initialise', 'Upper'],
      ['initialise', 'Lower'],
      ['Other'],
    ])
    expect(await again[2]!.listed()).toEqual([])
  })

  test("holds the app's own tables as well, and touches neither them nor its marks", async () => {
    const store = createStore()
    const app = store.connect()
    app.pragma('user_version = 17')
    app.pragma('application_id = 4711')
    app.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT); INSERT INTO orders VALUES (1, 'tea')")
    const node = await store.open()
    await node.append(send('Ordered'))
    app.prepare('INSERT INTO orders VALUES (2, ?)').run('milk')
    await store.closeAll()
    const later = store.connect()
    expect(later.prepare('SELECT what FROM orders').pluck().all()).toEqual(['tea', 'milk'])
    expect(later.pragma('user_version', { simple: true })).toBe(17)
    expect(later.pragma('application_id', { simple: true })).toBe(4711)
    expect(await namesTold(await store.open())).toEqual(['Ordered'])
  })

  test('is one by whatever path it is reached', async () => {
    const store = createStore()
    const link = join(store.folder, 'link.db')
    const direct = await store.open()
    symlinkSync(store.file, link)
    const linked = await store.open({ file: link })
    await linked.append(send('Linked'))
    expect(await namesTold(direct)).toEqual(['Linked'])
    expect(readdirSync(store.folder).filter((file) => file.startsWith('link.db-'))).toEqual([])
  })

  test.each(['full', 'normal'] as const)(
    'is let go of by close, with all beside it, durability %s',
    async (durability) => {
      const store = createStore()
      const nodes = [await store.open({ durability }), await store.open({ durability, name: 'other' })]
      for (const node of nodes) await node.append(send())
      expect(openIn(store.folder)).toContain(`${store.file}-wal`)
      await store.closeAll()
      expect(openIn(store.folder)).toEqual([])
      expect(readdirSync(store.folder)).toEqual(['app.db'])
    },
  )
})

describe('The tables of a file', () => {
  test('of a newer version are refused, and left as they are', async () => {
    const store = createStore()
    await (await store.open()).append(send('Kept'))
    await store.closeAll()
    const newer = store.connect()
    newer.exec('UPDATE comet_schema SET version = 2; ALTER TABLE comet_channels ADD COLUMN novel TEXT')
    await expect(store.open()).rejects.toThrow(/version 2; this koa-comet knows up to 1\. Use a newer one/)
    await expect(store.open({ name: 'another' })).rejects.toThrow('version 2')
    expect(newer.prepare('SELECT version FROM comet_schema').pluck().all()).toEqual([2])
    expect(newer.prepare('SELECT name FROM comet_channels').pluck().all()).toEqual(['chat'])
    newer.exec('UPDATE comet_schema SET version = 1')
    expect(await namesTold(await store.open())).toEqual(['Kept'])
  })

  test('are made all or none', async () => {
    const store = createStore()
    const app = store.connect()
    // The last of a channel's tables is the app's already.
    app.exec('CREATE TABLE comet_1_stopped (mine TEXT)')
    await expect(store.open()).rejects.toThrow(`${store.file}: table comet_1_stopped already exists`)
    expect(app.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()).toEqual([
      'comet_1_stopped',
    ])
    app.exec('DROP TABLE comet_1_stopped')
    await (await store.open()).append(send())
  })

  test.each(['comet_schema', 'comet_channels'])(
    'are not mixed up with a table %s of the app',
    async (name) => {
      const store = createStore()
      const app = store.connect()
      app.exec(`CREATE TABLE ${name} (mine TEXT)`)
      await expect(store.open()).rejects.toThrow(`a table ${name} that koa-comet did not make`)
      expect(app.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual([name])
      app.exec(`DROP TABLE ${name}`)
      await (await store.open()).append(send())
    },
  )

  test('name their version once, however often the file was opened', async () => {
    const store = createStore()
    for (const name of ['chat', 'other', 'chat']) await store.open({ name })
    expect(store.connect().prepare('SELECT version FROM comet_schema').pluck().all()).toEqual([1])
  })
})
