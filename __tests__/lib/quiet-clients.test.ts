import { afterEach, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { AspNetCometPage } from '../transports/asp-net-comet-page.ts'

afterEach(async () => {
  realTime()
  await closeSites()
})

/** The window holds two messages, so that each round trims what the page says it has seen. */
const options = { retention: { messages: 2 }, connectionTimeoutSeconds: 0.05 }
const ROUNDS = 8

test('A page of 2008 that is quiet while others talk is told no reset, though it says the same id for ever', async () => {
  const { channel, url, newClient } = await openSite({ options })
  const [{ privateToken, publicToken }, other] = [await newClient(), await newClient()]
  const page = new AspNetCometPage(url, privateToken).subscribe()
  await channel.sendMessage('Mine', 1, { to: publicToken })
  await eventually(() => page.received.length === 1)
  for (let round = 0; round < ROUNDS; round++) {
    for (let sent = 0; sent < 3; sent++) await channel.sendMessage('Others', sent, { to: other.publicToken })
    const { timeouts } = page
    await eventually(() => page.timeouts > timeouts)
  }
  page.close()
  expect(page.received.map(({ n }) => n)).toEqual(['Mine'])
  expect(channel.stats().trimmedThrough).toBeGreaterThan(page.received[0]!.mid)
})

test('A page without a cursor that is quiet while others talk is told no reset', async () => {
  // Of real time a poll might be over before all is sent.
  fakeTime()
  const { channel, url, newClient, holds } = await openSite({ options: { retention: { messages: 2 } } })
  const [{ privateToken }, other] = [await newClient(), await newClient({ connectionIdleSeconds: 10_000 })]
  for (let round = 0; round < ROUNDS; round++) {
    const quiet = poll(url, privateToken)
    await holds(1)
    await passSeconds(25)
    const { outcome, messages } = await quiet
    expect([outcome, messages.map(({ n }) => n)]).toEqual(['resumed', ['aspNetComet.timeout']])
    const held = poll(url, privateToken)
    await holds(1)
    for (let sent = 0; sent < 3; sent++) await channel.sendMessage('Others', sent, { to: other.publicToken })
    await passSeconds(25)
    expect((await held).outcome).toBe('resumed')
  }
  expect(channel.stats().trimmedThrough).toBeGreaterThan(0)
})

test('A page that was away while it was sent what is trimmed by now is told so, quiet or not before', async () => {
  const { channel, url, newClient } = await openSite({ options })
  const { privateToken, publicToken } = await newClient()
  await poll(url, privateToken)
  for (let sent = 0; sent < 5; sent++) await channel.sendMessage('Mine', sent, { to: publicToken })
  const { outcome, messages } = await poll(url, privateToken)
  expect(outcome).toBe('reset')
  expect(messages.map(({ n, c }) => (n === 'Mine' ? c : n))).toEqual(['aspNetComet.reset', 3, 4])
})

test('A page of 2008 that waits, and is woken by what it is excepted from, is told no reset', async () => {
  fakeTime()
  const { channel, url, newClient, holds } = await openSite({ options: { retention: { messages: 5 } } })
  const other = await newClient({ connectionIdleSeconds: 10_000 })
  const { privateToken, publicToken } = await newClient()
  const ask = async (lastMessageId: number): Promise<{ mid: number; n: string }[]> => {
    const body = new URLSearchParams({ privateToken, lastMessageId: String(lastMessageId) })
    const response = await fetch(url, { method: 'POST', body })
    return (await response.json()) as { mid: number; n: string }[]
  }
  await channel.sendMessage('Mine', 1, { to: publicToken })
  const { mid } = (await ask(0))[0]!
  for (let round = 0; round < ROUNDS; round++) {
    const held = ask(mid)
    await holds(1)
    const talk = async (): Promise<void> => {
      for (let sent = 0; sent < 3; sent++)
        await channel.sendMessage('Others', sent, { to: other.publicToken })
    }
    await talk()
    await channel.sendMessage('NotForThisOne', 1, { except: publicToken })
    // It is woken, reads, finds nothing and waits on.
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    await talk()
    await passSeconds(25)
    expect((await held).map(({ n }) => n)).toEqual(['aspNetComet.timeout'])
  }
  expect(channel.stats().trimmedThrough).toBeGreaterThan(mid)
})
