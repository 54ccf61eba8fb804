import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { poll } from '../support/page.ts'
import { post } from '../support/post.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

let folder: string | undefined

afterEach(async () => {
  await closeSites()
  if (folder) await rm(folder, { recursive: true })
  folder = undefined
})

const PROVIDERS: Record<string, () => Promise<Site>> = {
  'in process': () => openSite(),
  'in SQLite': async () => {
    folder = await mkdtemp(join(tmpdir(), 'comet-records-'))
    return openSite({ provider: new SqliteCometStateProvider(join(folder, 'a.db')) })
  },
}

describe.each(Object.entries(PROVIDERS))('Of a channel %s', (_name, open) => {
  test('what the app does to the record that it is shown changes nothing', async () => {
    const site = await open()
    const { privateToken, publicToken } = await site.newClient({ data: { tags: ['a'] } })
    const tried: unknown[] = []
    site.channel.onMessage('Spoil', (_contents, { client }) => {
      const spoil = [
        () => (client.groups as string[]).splice(0),
        () => (client.data as { tags: string[] }).tags.push('b'),
        () => Object.assign(client, { publicToken: 'other' }),
      ]
      for (const act of spoil) {
        try {
          act()
        } catch (error) {
          tried.push(error)
        }
      }
    })
    await site.channel.joinGroup(publicToken, 'room')
    await post(`${site.url}/send`, privateToken, { n: 'Spoil' })
    await site.channel.joinGroup(publicToken, 'hall')
    await post(`${site.url}/send`, privateToken, { n: 'Spoil' })
    expect(tried).toEqual(Array(6).fill(expect.any(TypeError)))
    const held = poll(site.url, privateToken)
    await site.holds(1)
    await site.channel.sendMessage('M', 1, { group: 'room' })
    expect((await held).messages).toMatchObject([{ c: 1 }])
  })
})
