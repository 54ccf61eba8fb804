import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import type { WireMessage } from '../../lib/wire.ts'
import { CountedProvider } from '../support/counted-provider.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { serveLocally } from '../support/local-socket.ts'
import { poll } from '../support/page.ts'
import { countTo, RawPage } from '../support/raw-page.ts'
import { RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { StallingReader } from '../support/stalling-reader.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

const hasEnded = ({ ending }: RawStream): boolean => ending === 'ended'

async function openStreams({ url, newClient }: Site, count: number): Promise<RawStream[]> {
  const clients = await Promise.all(countTo(count).map(() => newClient()))
  return Promise.all(clients.map(({ privateToken }) => RawStream.open(url, privateToken)))
}

describe('Promise 11: a channel that closes over a time', () => {
  test('ends streams and polls evenly, each with what it has to know to come again', async () => {
    const site = await openSite()
    const { channel, holds, newClient, url } = site
    const streams = await openStreams(site, 40)
    const clients = await Promise.all(countTo(40).map(() => newClient({ connectionTimeoutSeconds: 3600 })))
    const polls = clients.map(({ privateToken }) => poll(url, privateToken))
    await holds(80)
    const { epoch, messageId } = channel.cursor()
    const closing = channel.close({ overSeconds: 4 })
    for (const second of countTo(3)) {
      await passSeconds(1)
      const { heldRequests } = channel.stats()
      expect(Math.abs(heldRequests - (80 - second * 20))).toBeLessThanOrEqual(2)
    }
    await passSeconds(1)
    await closing
    for (const stream of streams) {
      await stream.until(hasEnded)
      const [position, last] = stream.blocks.slice(-2)
      expect([position, Object.keys(last!)]).toEqual([{ id: `${epoch}:${messageId}` }, ['retryMs']])
      expect(last!.retryMs).toBeLessThan(1000)
    }
    for (const { messages, headers } of await Promise.all(polls)) {
      expect(messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
      expect([headers.get('retry-after'), headers.get('connection')]).toEqual(['1', 'close'])
    }
  })

  test('refuses new streams, polls and probes at once, for as long as it takes at least', async () => {
    const site = await openSite()
    const [stream] = await openStreams(site, 30)
    const { privateToken } = await site.newClient()
    const closing = site.channel.close({ overSeconds: 60 })
    const bearer = { Authorization: `Bearer ${privateToken}` }
    const accepts = { Accept: 'text/event-stream' }
    for (const headers of [
      { ...bearer, ...accepts },
      bearer,
      { ...bearer, ...accepts, 'Comet-Probe': '1' },
    ]) {
      const refused = await fetch(site.url, { headers })
      expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60)
      expect(await refused.json()).toMatchObject([{ code: 'COMET_CHANNEL_IS_CLOSED' }])
    }
    // A native EventSource would not come again after a 503.
    const native = await RawStream.open(site.url, undefined)
    await native.until(hasEnded)
    expect([native.status, native.headers.get('connection')]).toEqual([200, 'close'])
    expect(native.told).toMatchObject([{ n: 'aspNetComet.error', code: 'COMET_CHANNEL_IS_CLOSED' }])
    expect(Object.keys(native.blocks.at(-1)!)).toEqual(['retryMs'])
    expect(stream!.status).toBe(200)
    await passSeconds(60)
    await closing
  })

  test('goes on bringing messages to who is held, takes sends until the last has ended, and none after', async () => {
    const storage = new InProcStorage()
    const leaving = await openSite({ provider: new InProcCometStateProvider({ storage }) })
    const staying = await openSite({ provider: new InProcCometStateProvider({ storage }) })
    await staying.channel.open()
    const clients = await Promise.all(countTo(40).map(() => leaving.newClient()))
    const pages = clients.map((client) => ({ client, got: [] as unknown[], ended: false }))
    const reading = pages.map(async (page) => {
      const { privateToken } = page.client
      const first = await RawStream.open(leaving.url, privateToken)
      await first.until(hasEnded)
      page.ended = true
      const next = await RawStream.open(staying.url, privateToken, { cursor: first.cursor })
      expect(next.headers.get('comet-outcome')).toBe('resumed')
      await next.until(({ contents }) => contents.at(-1) === 'last')
      page.got = [...first.contents, ...next.contents]
      // It went on here for a while.
      return first.contents.length
    })
    await leaving.holds(40)
    const closing = leaving.channel.close({ overSeconds: 2 })
    const sent: unknown[] = []
    for (const index of countTo(20)) {
      await leaving.channel.sendMessage('M', index)
      sent.push(index)
      await passSeconds(0.09)
    }
    await passSeconds(1)
    await closing
    await expect(leaving.channel.sendMessage('M', 'late')).rejects.toMatchObject({
      code: 'COMET_CHANNEL_IS_CLOSED',
    })
    expect(leaving.channel.close()).toBe(closing)
    await staying.channel.sendMessage('M', 'last')
    const fromLeaving = await Promise.all(reading)
    for (const { got } of pages) expect(got).toEqual([...sent, 'last'])
    expect(new Set(fromLeaving).size).toBeGreaterThan(5)
  })

  test('renews the leases of who is held meanwhile', async () => {
    const provider = new CountedProvider(new InProcCometStateProvider())
    const site = await openSite({ provider })
    const clients = await Promise.all(countTo(120).map(() => site.newClient({ connectionIdleSeconds: 3 })))
    const removed: unknown[] = []
    site.channel.on('clientDisconnected', (client) => removed.push(client))
    const pages = clients.map((client) => new RawPage(client))
    const streams = await Promise.all(pages.map(({ privateToken }) => RawStream.open(site.url, privateToken)))
    await site.holds(120)
    const closing = site.channel.close({ overSeconds: 6 })
    provider.renewals.splice(0)
    await passSeconds(5)
    const { heldRequests } = site.channel.stats()
    expect(heldRequests).toBeGreaterThan(10)
    // Each once a second, and fewer of them from step to step.
    expect(provider.renewals.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(120 * 2)
    // Only those whose streams have ended, and which came to no other node.
    expect(removed.length).toBeLessThanOrEqual(120 - heldRequests)
    await passSeconds(1)
    await closing
    await Promise.all(streams.map((stream) => stream.until(hasEnded)))
  })

  test('ends the connections of streams, so that their pages come back elsewhere; who is only rotated keeps it', async () => {
    const site = await openSite()
    const where = { port: site.port, host: '127.0.0.1' }
    const open = async (headers: Record<string, string>): Promise<StallingReader> =>
      new StallingReader(where, (await site.newClient()).privateToken, () => {}, { headers })
    const rotated = await open({ Prefer: 'wait=1' })
    await site.holds(1)
    await passSeconds(1)
    await eventually(() => rotated.ending === 'ended')
    const drained = await open({})
    await site.holds(1)
    await site.channel.close({ overSeconds: 0 })
    await eventually(() => drained.socket.closed)
    expect([drained.ending, drained.lastBlock]).toEqual(['ended', expect.stringMatching(/^retry: /)])
    expect(rotated.socket.closed).toBe(false)
    await rotated.close()
  })

  test('is not held up by a reader that takes nothing', async () => {
    const site = await openSite()
    const local = await serveLocally(site.served.app)
    const told: WireMessage[] = []
    const { privateToken } = await site.newClient()
    const reader = new StallingReader(local.where, privateToken, (message) => told.push(message), {
      isStalled: true,
    })
    await site.holds(1)
    const padding = 'x'.repeat(10_000)
    for (const index of countTo(60)) await site.channel.sendMessage('M', { index, padding })
    const closing = site.channel.close({ overSeconds: 1 })
    await passSeconds(1)
    await closing
    expect(site.channel.stats().heldRequests).toBe(0)
    // What had left for it is whole, and it is told to come again.
    reader.readOn()
    await eventually(() => reader.ending !== undefined)
    expect(reader.ending).toBe('ended')
    expect(reader.lastBlock).toMatch(/^retry: \d+$/)
    const last = told.at(-1)!.mid
    expect(reader.cursor?.endsWith(`:${last}`)).toBe(true)
    await reader.close()
    await local.close()
  })
})
