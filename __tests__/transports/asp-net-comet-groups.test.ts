import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { fakeTime, realTime } from '../support/fake-time.ts'
import { closeSites, openSite } from '../support/site.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

test('What is sent to a group just joined reaches a page whose replaced request is still held on', async () => {
  const site = await openSite()
  const { privateToken, publicToken } = await site.newClient()
  const ask = (signal?: AbortSignal) => {
    const body = new URLSearchParams({ privateToken, lastMessageId: '0' })
    return fetch(site.url, { method: 'POST', body, signal: signal ?? null })
  }
  const replaced = ask()
  await site.holds(1)
  const gone = new AbortController()
  const newer = ask(gone.signal).catch(() => {})
  await site.holds(2)
  gone.abort()
  await newer
  await site.holds(1)
  await site.channel.joinGroup(publicToken, 'room')
  const mid = await site.channel.sendMessage('M', 1, { group: 'room' })
  expect(await (await replaced).json()).toEqual([{ mid, n: 'M', c: 1 }])
})
