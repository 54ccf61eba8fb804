import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { ClientLease } from '../../lib/subscribe/client-lease.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  jest.restoreAllMocks()
  await closeSites()
})

test('A send to a group visits members who wait, or did some seconds ago, and nobody else; who comes again is told at once', async () => {
  const woken = jest.spyOn(ClientLease.prototype, 'wake')
  const site = await openSite()
  const clients = await Promise.all([1, 2, 3].map(() => site.newClient({ groups: ['room'] })))
  for (const { privateToken } of clients) await glance(site.url, privateToken)
  await site.channel.sendMessage('M', 1, { group: 'room' })
  expect(woken).toHaveBeenCalledTimes(3)
  const [{ privateToken } = clients[0]!] = clients
  const { cursor } = await glance(site.url, privateToken)
  await passSeconds(12)
  woken.mockClear()
  await site.channel.sendMessage('M', 2, { group: 'room' })
  expect(woken).not.toHaveBeenCalled()
  const missed = await poll(site.url, privateToken, { cursor: cursor! })
  expect(missed.messages).toMatchObject([{ c: 2 }])
  const waiting = poll(site.url, privateToken, { cursor: missed.cursor! })
  await site.holds(1)
  await passSeconds(12)
  await site.channel.sendMessage('M', 3, { group: 'room' })
  expect((await waiting).messages).toMatchObject([{ c: 3 }])
  expect(woken).toHaveBeenCalledTimes(1)
})
