import { expect } from '@jest/globals'
import { poll } from '../support/page.ts'
import type { Site } from '../support/site.ts'

/** The channel does what it is for: one message to a held poll, one to a poll that is answered at once. */
export async function expectServed(site: Site, url = site.url): Promise<void> {
  const { privateToken } = await site.newClient()
  const polling = poll(url, privateToken)
  await site.holds(1)
  await site.channel.sendMessage('Count', 1)
  const first = await polling
  expect(first.messages).toMatchObject([{ c: 1 }])
  await site.channel.sendMessage('Count', 2)
  const second = await poll(url, privateToken, { cursor: first.cursor! })
  expect(second.messages).toMatchObject([{ c: 2 }])
  expect([site.errors, site.appErrors]).toEqual([[], []])
}
