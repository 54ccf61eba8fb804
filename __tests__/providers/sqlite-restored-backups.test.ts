import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { hashOf, initialise, renewal, send } from '../../providers/contract/operations.ts'
import { countTo, RawPage } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

afterEach(async () => {
  await closeSites()
  await disposeStores()
})

const backupOf = ({ folder }: SqliteStore) => join(folder, 'backup.db')

/** What the README says to do with a file that was restored, before anything opens it. */
function markUnclean({ file }: SqliteStore): void {
  const database = new Database(file)
  database.exec('UPDATE comet_channels SET is_clean = 0')
  database.close()
}

describe('A channel whose file was restored from a backup, and marked', () => {
  test('tells pages that have seen more than it has of a reset, and they miss nothing from then on', async () => {
    const store = createStore()
    const before = await openSite({ provider: store.node().provider })
    const page = new RawPage(await before.newClient())
    await store.connect().backup(backupOf(store))
    for (const number of countTo(10)) await before.channel.sendMessage('Chat', number)
    await page.glance(before.url)
    const seen = before.channel.cursor()
    await before.channel.close()
    await store.closeAll()
    copyFileSync(backupOf(store), store.file)
    markUnclean(store)
    const after = await openSite({ provider: store.node().provider })
    await after.channel.open()
    const { epoch, messageId } = after.channel.cursor()
    expect(epoch).not.toBe(seen.epoch)
    expect(messageId).toBeGreaterThan(seen.messageId)
    await page.glance(after.url)
    expect(page.resets).toHaveLength(1)
    // As many as would reach the page's old position, and more.
    for (const number of countTo(12, 101)) await after.channel.sendMessage('Chat', number)
    expect((await page.glance(after.url)).outcome).toBe('resumed')
    expect(page.contents).toEqual([...countTo(10), ...countTo(12, 101)])
  })

  test('keeps what a client has seen of it when one that lags behind tells of the life before', async () => {
    const store = createStore()
    const before = await store.open()
    const ann = await before.initialise(initialise('ann'))
    const { epoch } = before.listener.log
    await before.provider.close()
    markUnclean(store)
    const node = await store.open()
    const acknowledged = { epoch: node.listener.log.epoch, messageId: await node.appendOne(send()) }
    expect(await node.renew(renewal(ann, { acknowledged }))).toBe('kept')
    const late = { epoch, messageId: ann.generation }
    expect(await node.renew(renewal(ann, { acknowledged: late }))).toBe('kept')
    expect(await node.record(hashOf('ann'))).toMatchObject({ acknowledged })
  })
})
