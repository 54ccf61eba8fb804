import { afterEach, describe, expect, test } from '@jest/globals'
import type { ProviderListener, Retention } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { hashOf, initialise, send, stop } from '../../providers/contract/operations.ts'
import { RawPage } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { createStore, disposeStores } from './sqlite-store.ts'

afterEach(async () => {
  await closeSites()
  await disposeStores()
})

/** Longer than any retention here. */
const NIGHT_MS = 12 * 3600 * 1000

/** When it has opened, another process has the write lock for a turn: the first sweep has to wait. */
class OvertakenProvider extends SqliteCometStateProvider {
  onOpened = (): void => {}

  override async open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    await super.open(name, listener, retention)
    this.onOpened()
  }
}

describe('After a time in which nobody swept, and before anybody does', () => {
  test('a key is known, and the log is whole', async () => {
    const store = createStore()
    const before = await store.open()
    const keyed = send('Paid', { key: 'order 17' })
    const first = await before.appendOne(keyed)
    await before.provider.close()
    store.nowMs += NIGHT_MS
    const after = await store.open()
    expect(await after.appendOne(keyed)).toBe(first)
    const second = await after.appendOne(send())
    expect(await after.sweep()).toEqual([])
    const { entries } = (await store.open()).listener.log
    expect(entries.map(({ id }) => id)).toEqual([first, second])
  })

  test('pages go on, resumed, though messages are sent first', async () => {
    const store = createStore()
    const before = await openSite({ provider: store.node().provider })
    const page = new RawPage(await before.newClient())
    await before.channel.sendMessage('Chat', 'unseen')
    await before.channel.close()
    store.nowMs += NIGHT_MS
    const provider = new OvertakenProvider(store.file, { now: () => store.nowMs })
    const rival = store.connect()
    provider.onOpened = () => {
      rival.exec('BEGIN IMMEDIATE')
      setImmediate(() => rival.exec('COMMIT'))
    }
    const first = await openSite({ provider })
    await first.channel.open()
    await first.channel.sendMessage('Chat', 'anew')
    await first.channel.close()
    // It knows only what is in the file.
    const after = await openSite({ provider: store.node().provider })
    expect((await page.glance(after.url)).outcome).toBe('resumed')
    expect(page.contents).toEqual(['unseen', 'anew'])
  })

  test('who was stopped stays so', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(initialise('eve'), stop('eve'))
    store.nowMs += NIGHT_MS
    for (const round of ['before the sweep', 'after it']) {
      expect([round, await node.provider.getClient(hashOf('eve'))]).toEqual([round, 'stopped'])
      expect(await node.refusal(initialise('eve'))).toBe('COMET_CLIENT_ALREADY_EXISTS')
      await node.sweep()
    }
  })
})
