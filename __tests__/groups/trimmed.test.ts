import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { glance } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

test('A membership that the store has dropped is no silent loss on a node that was opened later, and retains longer', async () => {
  const storage = new InProcStorage()
  const options = { retention: { seconds: 20 }, connectionIdleSeconds: 600 }
  const open = () => openSite({ provider: new InProcCometStateProvider({ storage }), options })
  const one = await open()
  const { privateToken, publicToken, start } = await one.newClient({ groups: ['g', 'h'] })
  await one.channel.sendMessage('M', 1, { group: 'g' })
  await one.channel.leaveGroup(publicToken, 'g')
  await passSeconds(12)
  const two = await open()
  await two.channel.open()
  await passSeconds(12)
  await one.channel.sendMessage('Now the store has trimmed', 1)
  await one.channel.leaveGroup(publicToken, 'h')
  const cursor = `${start.epoch}:${start.messageId}`
  const { outcome, messages } = await glance(two.url, privateToken, { cursor })
  expect([outcome, messages[0]!.c]).toEqual(['reset', expect.objectContaining({ reason: 'trimmed' })])
})
