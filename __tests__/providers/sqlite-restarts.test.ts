import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { ChannelStats, InitializedCometClient, RemovedClient } from 'koa-comet'
import { RawPage } from '../support/raw-page.ts'
import { AskedProcess, bundled, type Program } from './sqlite-child-process.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

const NIGHT_MS = 12 * 3600 * 1000

/** An app in a process of its own. */
interface App {
  readonly process: AskedProcess
  readonly url: string
  readonly stats: ChannelStats
  /** Who was removed, and why. */
  readonly gone: unknown[]
}

let program: Program
const apps: App[] = []

beforeAll(async () => {
  program = await bundled('sqlite-server.ts')
})

afterAll(() => program.remove())

afterEach(async () => {
  for (const { process } of apps.splice(0)) await process.kill()
  await disposeStores()
})

async function startApp({ file }: SqliteStore, options: object = {}): Promise<App> {
  const process = await AskedProcess.start(program, { file, aheadMs: 0, ...options })
  const gone: unknown[] = []
  process.onHeard = ({ value }) => gone.push(value)
  await process.ask('open')
  const app = {
    process,
    url: await process.ask<string>('url'),
    stats: await process.ask<ChannelStats>('stats'),
    gone,
  }
  apps.push(app)
  return app
}

/** Whom this sweep, or one of the app's own, removed. */
async function sweep({ process, gone }: App): Promise<unknown[]> {
  const removed = await process.ask<RemovedClient[]>('sweep')
  return [...gone, ...removed.map(({ client, reason }) => [client.publicToken, reason])]
}

const ENDINGS = [
  ['a full stop', ({ process }: App) => process.ask('close').then(() => process.kill())],
  ['kill -9', ({ process }: App) => process.kill()],
] as const

describe.each(ENDINGS)('After %s of the app', (_, end) => {
  test('pages go on, resumed, with all that they have not seen, also a night later', async () => {
    const store = createStore()
    const before = await startApp(store)
    const ann = await before.process.ask<InitializedCometClient>('initialize', { publicToken: 'ann' })
    const bob = await before.process.ask<InitializedCometClient>('initialize', { publicToken: 'bob' })
    const [page, quiet] = [new RawPage(ann), new RawPage(bob)]
    await before.process.ask('send', 'Chat', 'seen')
    for (const each of [page, quiet]) await each.glance(before.url)
    await before.process.ask('send', 'Chat', 'unseen')
    await before.process.ask('send', 'Chat', 'for ann', { to: 'ann' })
    await end(before)
    const after = await startApp(store, { aheadMs: NIGHT_MS })
    expect(after.stats.epoch).toBe(before.stats.epoch)
    const answers = [await page.glance(after.url), await quiet.glance(after.url)]
    expect(answers.map(({ outcome }) => outcome)).toEqual(['resumed', 'resumed'])
    expect(page.contents).toEqual(['seen', 'unseen', 'for ann'])
    expect(quiet.contents).toEqual(['seen', 'unseen'])
    await after.process.ask('send', 'Chat', 'anew')
    await page.glance(after.url)
    expect(page.contents.at(-1)).toBe('anew')
    expect([...page.resets, ...quiet.resets]).toEqual([])
  })

  test('nobody is removed for the time that it was down, and then as ever', async () => {
    const store = createStore()
    const before = await startApp(store)
    const idle = { connectionTimeoutSeconds: 1, connectionIdleSeconds: 3 }
    await before.process.ask('initialize', { publicToken: 'ann', ...idle })
    await end(before)
    const after = await startApp(store, { aheadMs: NIGHT_MS })
    expect(await sweep(after)).toEqual([])
    // Ann's lease is 4/3 of 3 s and 5 s more. Sweeps that come in time take nothing out of the clock.
    await after.process.ask('advance', 5000)
    expect(await sweep(after)).toEqual([])
    await after.process.ask('advance', 4500)
    expect(await sweep(after)).toEqual([['ann', 'idle']])
  })

  test('the same page has the lease, keys are known, and who was stopped stays so', async () => {
    const store = createStore()
    const before = await startApp(store)
    const ann = await before.process.ask<InitializedCometClient>('initialize', { publicToken: 'ann' })
    const eve = await before.process.ask<InitializedCometClient>('initialize', { publicToken: 'eve' })
    const [page, stopped] = [new RawPage(ann), new RawPage(eve)]
    await page.glance(before.url)
    const first = await before.process.ask('send', 'Paid', 17, { key: 'order 17' })
    await before.process.ask('stop', 'eve')
    await end(before)
    const after = await startApp(store, { aheadMs: NIGHT_MS })
    expect(await after.process.ask('send', 'Paid', 17, { key: 'order 17' })).toEqual(first)
    expect((await stopped.glance(after.url)).status).toBe(403)
    await page.glance(after.url)
    expect(page.contents).toEqual([17])
    const tokens = { publicToken: 'eve', privateToken: eve.privateToken }
    await expect(after.process.ask('initialize', tokens)).rejects.toThrow('in use')
    await expect(after.process.ask('initialize', { publicToken: 'ann' })).rejects.toThrow('in use')
    expect(after.stats.head).toBeGreaterThan(before.stats.head)
  })

  test('no private token is to be found in its files', async () => {
    const store = createStore()
    const app = await startApp(store)
    const given = { publicToken: 'ann', privateToken: 'a-secret-that-the-app-chose-0123456789abcdef' }
    const ann = await app.process.ask<InitializedCometClient>('initialize', given)
    const bob = await app.process.ask<InitializedCometClient>('initialize', { publicToken: 'bob' })
    for (const client of [ann, bob]) await new RawPage(client).glance(app.url)
    await app.process.ask('stop', 'bob')
    await end(app)
    const bytes = bytesOf(store)
    expect(bytes.includes('"displayName":"ann"')).toBe(true)
    for (const { privateToken } of [ann, bob]) {
      expect(bytes.includes(privateToken)).toBe(false)
      expect(bytes.includes(Buffer.from(privateToken, 'base64url'))).toBe(false)
    }
  })
})

/** No connection of this process has the file open: to read it would take its locks away. */
function bytesOf({ folder }: SqliteStore): Buffer {
  return Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))))
}
