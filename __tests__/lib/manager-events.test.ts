import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { CometStateManager } from 'koa-comet'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { openNode, openTwoNodes } from '../support/two-nodes.ts'

beforeEach(fakeTime)

afterEach(async () => {
  realTime()
  await closeSites()
})

/** All events of clients in the order in which they come. */
function eventsOf(channel: CometStateManager): string[] {
  const told: string[] = []
  for (const event of [
    'clientInitialized',
    'clientSubscribed',
    'clientResumed',
    'idleClientKilled',
  ] as const) {
    channel.on(event, ({ publicToken }) => told.push(`${event} ${publicToken}`))
  }
  channel.on('clientDisconnected', ({ publicToken }, { reason }) =>
    told.push(`clientDisconnected ${publicToken} (${reason})`),
  )
  return told
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

describe('The events of a client’s life', () => {
  test('come in this order: initialised, subscribed at each poll, resumed, killed, disconnected', async () => {
    const { channel, newClient, url } = await openSite()
    const told = eventsOf(channel)
    const { privateToken } = await newClient({ publicToken: 'ann', connectionIdleSeconds: 20 })
    await glance(url, privateToken)
    await glance(url, privateToken)
    await passSeconds(6)
    await glance(url, privateToken)
    await passSeconds(60)
    await turns()
    expect(told).toEqual([
      'clientInitialized ann',
      'clientSubscribed ann',
      'clientSubscribed ann',
      'clientSubscribed ann',
      'clientResumed ann',
      'idleClientKilled ann',
      'clientDisconnected ann (idle)',
    ])
  })

  test.each([
    ['stopClient', ['clientDisconnected ann (stopped)']],
    ['killIdleCometClient', ['idleClientKilled ann', 'clientDisconnected ann (idle)']],
    ['goodbye', ['clientDisconnected ann (goodbye)']],
  ])('end, by %s, once and with the reason', async (how, expected) => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient({ publicToken: 'ann' })
    await glance(url, privateToken)
    await turns()
    const told = eventsOf(channel)
    if (how === 'stopClient') await channel.stopClient('ann')
    else if (how === 'killIdleCometClient') await channel.killIdleCometClient(privateToken)
    else
      await fetch(`${url}/goodbye`, { method: 'POST', body: new URLSearchParams({ privateToken, page: '' }) })
    await passSeconds(30)
    await turns()
    expect(told).toEqual(expected)
  })

  test('are none for what was refused', async () => {
    const { channel, newClient, url } = await openSite()
    await newClient({ publicToken: 'ann' })
    await turns()
    const told = eventsOf(channel)
    await Promise.allSettled([
      channel.initializeClient({ publicToken: 'ann' }),
      channel.stopClient('nobody'),
      channel.killIdleCometClient('nobody'),
      glance(url, 'a-token-of-nobody-at-all'),
    ])
    await turns()
    expect(told).toEqual([])
  })

  test('are none between two polls: not being there for a while is no disconnecting', async () => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient({ publicToken: 'ann' })
    await glance(url, privateToken)
    await turns()
    const told = eventsOf(channel)
    await passSeconds(80)
    expect(told).toEqual([])
  })

  test('are none for a poll that is told that another page has the client', async () => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient()
    await glance(url, privateToken, { headers: { 'Comet-Page': 'old;new' } })
    const { cursor } = await glance(url, privateToken, { headers: { 'Comet-Page': 'young;new' } })
    await passSeconds(6)
    await turns()
    const told = eventsOf(channel)
    const { messages } = await glance(url, privateToken, {
      cursor: cursor!,
      headers: { 'Comet-Page': 'old' },
    })
    expect(messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await turns()
    expect(told).toEqual([])
  })

  test('do not call resumed who was never away, though the log began anew', async () => {
    const { channel, gate, newClient, url, holds } = await openNode()
    const [held, polling] = [await newClient({ publicToken: 'ann' }), await newClient({ publicToken: 'bob' })]
    await glance(url, polling.privateToken)
    const holding = poll(url, held.privateToken)
    await holds(1)
    await passSeconds(4)
    await turns()
    const told = eventsOf(channel)
    gate.loseLog()
    const { cursor } = await holding
    await glance(url, held.privateToken, { cursor: cursor! })
    await glance(url, polling.privateToken)
    await turns()
    expect(told).toEqual(['clientSubscribed ann', 'clientSubscribed bob'])
    await passSeconds(6)
    gate.loseLog()
    await glance(url, polling.privateToken)
    await turns()
    expect(told.slice(2)).toEqual(['clientSubscribed bob', 'clientResumed bob'])
  })

  test('come on one node: that which did it, or got the request', async () => {
    const { lagging: here, current: there } = await openTwoNodes()
    const [toldHere, toldThere] = [eventsOf(here.channel), eventsOf(there.channel)]
    const { privateToken } = await here.newClient({ publicToken: 'ann', connectionIdleSeconds: 9 })
    await glance(there.url, privateToken)
    await passSeconds(60)
    await turns()
    expect([...toldHere, ...toldThere].filter((each) => each.startsWith('clientDisconnected'))).toHaveLength(
      1,
    )
    expect(toldHere.filter((each) => each.startsWith('clientInit'))).toHaveLength(1)
    expect(toldThere).not.toContain('clientInitialized ann')
    expect(toldThere[0]).toBe('clientSubscribed ann')
    expect(toldHere).not.toContain('clientSubscribed ann')
  })
})

test('A listener may use the channel, and one that fails harms neither the client nor the others', async () => {
  const { channel, newClient, errors, url } = await openSite()
  channel.on('clientSubscribed', () => {
    throw new Error('in a listener')
  })
  channel.on('clientSubscribed', async ({ publicToken }) => {
    await channel.sendMessage('Welcome', publicToken, { to: publicToken })
    throw new Error('after the sending')
  })
  const { privateToken } = await newClient({ publicToken: 'ann' })
  const { status, cursor } = await glance(url, privateToken)
  await turns()
  const { messages } = await glance(url, privateToken, { cursor: cursor! })
  expect([status, messages.map(({ n }) => n)]).toEqual([200, ['Welcome']])
  await turns()
  expect(errors).toEqual(expect.arrayContaining([new Error('in a listener'), new Error('after the sending')]))
})
