import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { glance } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)
afterEach(realTime)

/** Longer than the second after which a node looks for whom to forget. */
const OVER_A_TICK_SECONDS = 1.3

/** Longer than it takes a node to sweep, and to give up waiting for that. */
const OVER_A_SWEEP_SECONDS = 6

describe('A poll is answered, however long it takes', () => {
  beforeEach(fakeTime)

  test('the app to say who it is', async () => {
    let asked = 0
    async function identify(): Promise<null> {
      asked += 1
      await passSeconds(OVER_A_TICK_SECONDS)
      return null
    }
    const { url, newClient } = await openSite({ options: { identify } })
    const { privateToken } = await newClient()
    expect((await glance(url, privateToken)).status).toBe(200)
    expect(asked).toBe(1)
  })

  test('the store to renew its lease', async () => {
    class Slow extends InProcCometStateProvider {
      override async renewLeases(...renewals: Parameters<InProcCometStateProvider['renewLeases']>) {
        await passSeconds(OVER_A_TICK_SECONDS)
        return super.renewLeases(...renewals)
      }
    }
    const { url, newClient } = await openSite({ provider: new Slow() })
    const { privateToken } = await newClient()
    expect((await glance(url, privateToken)).status).toBe(200)
  })
})

describe('A provider that is late', () => {
  test('with opening and with closing hangs nobody', async () => {
    const provider = new InProcCometStateProvider()
    provider.open = () => new Promise(() => {})
    provider.close = () => new Promise(() => {})
    const channel = new CometStateManager(provider, { providerTimeoutSeconds: 0.1 })
    const failed = { code: 'COMET_PROVIDER_IS_UNAVAILABLE' }
    await expect(channel.open()).rejects.toMatchObject(failed)
    await channel.close()
  })

  test('and whose close throws does not hide why it did not open', async () => {
    const provider = new InProcCometStateProvider()
    provider.open = () => Promise.reject(new Error('the real cause'))
    provider.close = () => {
      throw new TypeError('not open')
    }
    await expect(new CometStateManager(provider).open()).rejects.toThrow('the real cause')
  })

  test('with saying whom it removed: each is reported nevertheless, once', async () => {
    fakeTime()
    let now = 0
    const gate = new GatedProvider(new InProcCometStateProvider({ storage: new InProcStorage(() => now) }))
    const options = { providerTimeoutSeconds: 0.1, connectionIdleSeconds: 1 }
    const { channel, errors, newClient } = await openSite({ provider: gate, options })
    const { publicToken } = await newClient()
    const removed: string[] = []
    channel.on('clientDisconnected', (client, { reason }) => removed.push(`${client.publicToken} ${reason}`))
    now += 9_000
    const letGo = gate.hangNext('removeExpired', { when: 'after' })
    await passSeconds(OVER_A_SWEEP_SECONDS)
    await eventually(() => errors.length === 1)
    expect(removed).toEqual([])
    letGo()
    await eventually(() => removed.length > 0)
    expect(removed).toEqual([`${publicToken} idle`])
  })
})

test('A token that was initialised anew elsewhere is not refused by a node that lags', async () => {
  const { lagging, current } = await openTwoNodes()
  const again = { publicToken: 'bob', privateToken: 'the-same-token-again-0123456789' }
  await current.newClient(again)
  await glance(lagging.url, again.privateToken, { headers: { 'Comet-Page': 'p;new' } })
  lagging.gate.hold()
  await current.channel.killIdleCometClient(again.privateToken)
  await current.newClient(again)
  const first = await glance(current.url, again.privateToken, { headers: { 'Comet-Page': 'p;new' } })
  expect(first.status).toBe(200)
  const cursor = first.cursor!
  const roamed = await glance(lagging.url, again.privateToken, { cursor, headers: { 'Comet-Page': 'p' } })
  expect([roamed.status, roamed.outcome]).toEqual([200, 'resumed'])
})

describe('An append that lands after its deadline', () => {
  const UNKNOWN = { code: 'COMET_PROVIDER_IS_UNAVAILABLE' }

  /** A channel whose next append lands only when it is let go, and what its events tell of. */
  async function openHanging() {
    const gate = new GatedProvider(new InProcCometStateProvider())
    const site = await openSite({ provider: gate, options: { providerTimeoutSeconds: 0.1 } })
    const told: string[] = []
    site.channel.on('clientInitialized', ({ publicToken }) => told.push(`${publicToken} initialized`))
    site.channel.on('idleClientKilled', ({ publicToken }) => told.push(`${publicToken} killed`))
    site.channel.on('clientDisconnected', ({ publicToken }, { reason }) =>
      told.push(`${publicToken} ${reason}`),
    )
    const { privateToken } = await site.newClient({ publicToken: 'ann' })
    await eventually(() => told.length === 1)
    told.length = 0
    return { ...site, told, privateToken, letGo: gate.hangNext('append') }
  }

  test('and stops a client is told of, once', async () => {
    const { channel, told, letGo } = await openHanging()
    await expect(channel.stopClient('ann')).rejects.toMatchObject(UNKNOWN)
    expect(told).toEqual([])
    letGo()
    await eventually(() => told.length > 0)
    expect(await channel.stopClient('ann')).toBe(0)
    await channel.initializeClient({ publicToken: 'bob' })
    await eventually(() => told.includes('bob initialized'))
    expect(told).toEqual(['ann stopped', 'bob initialized'])
  })

  test('and kills a client is told of, once', async () => {
    const { channel, told, letGo, privateToken } = await openHanging()
    await expect(channel.killIdleCometClient(privateToken)).rejects.toMatchObject(UNKNOWN)
    letGo()
    await eventually(() => told.length > 1)
    expect(told).toEqual(['ann killed', 'ann idle'])
  })

  test('and initialises a client is told of, before it is told that the client is gone', async () => {
    const { channel, told, letGo } = await openHanging()
    await expect(channel.initializeClient({ publicToken: 'bob' })).rejects.toMatchObject(UNKNOWN)
    letGo()
    await eventually(() => told.length > 0)
    await channel.stopClient('bob')
    await eventually(() => told.length > 1)
    expect(told).toEqual(['bob initialized', 'bob stopped'])
  })
})
