import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

beforeEach(fakeTime)

afterEach(async () => {
  realTime()
  await closeSites()
})

const EIGHT_HOURS_MS = 8 * 3_600_000

function killedIn(channel: CometStateManager): string[] {
  const killed: string[] = []
  channel.on('clientDisconnected', ({ publicToken }) => killed.push(publicToken))
  return killed
}

/** A storage whose clock can be moved without a timer of this process running, as a suspended host's does. */
function storageWithClock(): { readonly storage: InProcStorage; jump(ms: number): void } {
  let offsetMs = 0
  return {
    storage: new InProcStorage(() => performance.now() + offsetMs),
    jump: (ms) => {
      offsetMs += ms
    },
  }
}

/** Connects, asks once and goes, all while this process stands still. */
function askWhileWeStandStill(port: number, privateToken: string, accept: string): void {
  const request = `GET /comet HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\nAuthorization: Bearer ${privateToken}\\r\\nAccept: ${accept}\\r\\nPrefer: wait=0\\r\\n\\r\\n`
  const script = `const socket = require('node:net').connect(${port}, '127.0.0.1', () => socket.end('${request}', () => process.exit()))`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script])
  if (status !== 0) throw new Error(`the page failed: ${stderr}`)
}

/**
 * This process stands still for so long: all timers that became due fire once, afterwards and together. The fake
 * clock goes by steps; what it is short of is added to what is read of it.
 */
function standStill(ms: number, untilTimerMs: number): void {
  const [before, stepsAtMs] = [performance.now(), jest.now()]
  jest.spyOn(performance, 'now').mockImplementation(() => before + ms - untilTimerMs + jest.now() - stepsAtMs)
  jest.advanceTimersByTime(untilTimerMs)
}

overEachTransport(({ glance, poll, transport }) => {
  test('Row 27: after 8 hours of suspension each client has one full idle time to come back, and no more', async () => {
    const { storage, jump } = storageWithClock()
    const { channel, newClient, url } = await openSite({
      provider: new InProcCometStateProvider({ storage }),
    })
    const killed = killedIn(channel)
    const idle = { connectionIdleSeconds: 9 }
    const [ann, bob] = [
      await newClient({ ...idle, publicToken: 'ann' }),
      await newClient({ ...idle, publicToken: 'bob' }),
    ]
    await glance(url, ann.privateToken)
    await glance(url, bob.privateToken)
    await passSeconds(8)
    jump(EIGHT_HOURS_MS)
    await passSeconds(8)
    expect(killed).toEqual([])
    expect((await glance(url, ann.privateToken)).status).toBe(200)
    await passSeconds(14)
    expect(killed).toEqual(['bob'])
  })

  test('Row 28: a store that was without any node for 8 hours kills nobody for that time', async () => {
    const { storage, jump } = storageWithClock()
    const before = await openSite({ provider: new InProcCometStateProvider({ storage }) })
    const idle = { connectionIdleSeconds: 9 }
    const ann = await before.newClient({ ...idle, publicToken: 'ann' })
    await before.newClient({ ...idle, publicToken: 'bob' })
    const { cursor } = await glance(before.url, ann.privateToken)
    await passSeconds(6)
    await before.channel.close()
    jump(EIGHT_HOURS_MS)
    const after = await openSite({ provider: new InProcCometStateProvider({ storage }) })
    await after.channel.open()
    const killed = killedIn(after.channel)
    await passSeconds(8)
    expect(killed).toEqual([])
    const { status, outcome } = await glance(after.url, ann.privateToken, { cursor: cursor! })
    expect([status, outcome]).toEqual([200, 'resumed'])
    await passSeconds(14)
    expect(killed).toEqual(['bob'])
  })

  test('Row 28: who comes right after that has one idle time from then on, and not the 8 hours as well', async () => {
    const { storage, jump } = storageWithClock()
    const before = await openSite({ provider: new InProcCometStateProvider({ storage }) })
    const { privateToken } = await before.newClient({ connectionIdleSeconds: 9, publicToken: 'ann' })
    await glance(before.url, privateToken)
    await before.channel.close()
    jump(EIGHT_HOURS_MS)
    const after = await openSite({ provider: new InProcCometStateProvider({ storage }) })
    const killed = killedIn(after.channel)
    expect((await glance(after.url, privateToken)).status).toBe(200)
    await passSeconds(25)
    expect(killed).toEqual(['ann'])
  })

  describe('Row 29: after a stall of the event loop', () => {
    afterEach(() => {
      jest.restoreAllMocks()
    })

    /**
     * A client with an idle time of 1 s was last renewed at 8.6 s, so that its lease runs out at 14.93 s. The process
     * stands still from 9.89 s to 14.98 s; the sweep of 10 s is what it does first then, and as the one before was at
     * 5 s no time is added to any lease.
     */
    async function standStillOver(
      { newClient, url }: Pick<Site, 'newClient' | 'url'>,
      meanwhile: (privateToken: string) => void,
    ): Promise<string> {
      const { privateToken } = await newClient({ publicToken: 'ann', connectionIdleSeconds: 1 })
      await passSeconds(8.6)
      await glance(url, privateToken)
      await passSeconds(0.3)
      await glance(url, privateToken)
      await passSeconds(0.99)
      meanwhile(privateToken)
      standStill(5090, 110)
      return privateToken
    }

    test('a request that was waiting to be served comes before the removal of the idle', async () => {
      const site = await openSite()
      const killed = killedIn(site.channel)
      const privateToken = await standStillOver(site, (token) =>
        askWhileWeStandStill(site.port, token, transport.accept),
      )
      await passSeconds(5)
      expect(killed).toEqual([])
      expect((await glance(site.url, privateToken)).status).toBe(200)
    })

    test('a request that was waiting comes first also where the app takes its time to say who it is', async () => {
      const identify = async (): Promise<null> => {
        for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
        return null
      }
      const site = await openSite({ options: { identify } })
      const killed = killedIn(site.channel)
      const privateToken = await standStillOver(site, (token) =>
        askWhileWeStandStill(site.port, token, transport.accept),
      )
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
      await passSeconds(5)
      expect(killed).toEqual([])
      expect((await glance(site.url, privateToken)).status).toBe(200)
    })

    test('who really was away is removed all the same', async () => {
      const site = await openSite()
      const killed = killedIn(site.channel)
      await standStillOver(site, () => undefined)
      await passSeconds(20)
      expect(killed).toEqual(['ann'])
    })

    test('requests that were held live on, however long it took', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const killed = killedIn(channel)
      const { privateToken } = await newClient({ connectionIdleSeconds: 1, connectionTimeoutSeconds: 10_000 })
      let { cursor } = await glance(url, privateToken)
      for (const stallMs of [1000, 5090, 9900, 30_000]) {
        const held = poll(url, privateToken, { cursor: cursor! })
        await holds(1)
        await passSeconds(4.5)
        standStill(stallMs, 500)
        await passSeconds(1)
        expect(killed).toEqual([])
        await channel.sendMessage('M', stallMs)
        const answer = await held
        expect(answer.messages).toMatchObject([{ c: stallMs }])
        cursor = answer.cursor
      }
    })
  })
})
