import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { type Block, RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite } from '../support/site.ts'
import { StallingReader } from '../support/stalling-reader.ts'
import { openTwoNodes } from '../support/two-nodes.ts'
import { readByParser } from './event-blocks.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

const isKeepAlive = (block: Block): boolean => Object.keys(block).join() === 'id'

function keepAlives({ blocks }: RawStream): readonly string[] {
  return blocks.filter(isKeepAlive).map(({ id }) => id!)
}

/** An open stream begins with the position that it has read up to. */
const AT_BEGINNING = 1

async function open(url: string, privateToken: string, cursor?: string): Promise<RawStream> {
  const stream = await RawStream.open(url, privateToken, { cursor })
  return stream.until((each) => keepAlives(each).length === AT_BEGINNING)
}

describe('A stream', () => {
  test('is told where it is after 15 seconds, less up to a tenth at random', async () => {
    const { newClient, url, channel } = await openSite()
    const clients = await Promise.all(countTo(40).map(() => newClient()))
    const streams = await Promise.all(clients.map(({ privateToken }) => open(url, privateToken)))
    const told = (): number => streams.filter((stream) => keepAlives(stream).length > AT_BEGINNING).length
    const { epoch, messageId } = channel.cursor()
    await passSeconds(13.4)
    expect(told()).toBe(0)
    await passSeconds(0.85)
    await eventually(() => told() > 0)
    // What was written is on its way still; what was not will not come before time passes.
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(told()).toBeLessThan(40)
    await passSeconds(0.8)
    await eventually(() => told() === 40)
    for (const stream of streams) expect(stream.cursor).toBe(`${epoch}:${messageId}`)
  })

  test('is told so however many messages flow, and each keep-alive is where the last one was', async () => {
    const { newClient, url, channel } = await openSite({ options: { keepAliveSeconds: 10 } })
    const { privateToken } = await newClient()
    const stream = await open(url, privateToken)
    const { epoch } = channel.cursor()
    for (const index of countTo(60)) {
      const mid = await channel.sendMessage('M', index)
      await stream.until(({ messages }) => messages.length === index)
      await passSeconds(1)
      if (keepAlives(stream).length > AT_BEGINNING) expect(stream.cursor).toBe(`${epoch}:${mid}`)
    }
    // Every 9 to 10 seconds.
    await stream.until((each) => keepAlives(each).length >= AT_BEGINNING + 6)
    const ids = stream.blocks.flatMap(({ id }) => (id === undefined ? [] : Number(id.split(':')[1])))
    expect(ids).toEqual(ids.toSorted((one, other) => one - other))
    expect(stream.contents).toEqual(countTo(60))
  })

  test('dispatches nothing by it, and moves on past what was for others', async () => {
    const { newClient, url, channel } = await openSite()
    const [{ privateToken }, other] = [await newClient(), await newClient()]
    const stream = await open(url, privateToken)
    const before = stream.cursor
    const mid = await channel.sendMessage('ForOther', 1, { to: other.publicToken })
    await passSeconds(15)
    await stream.until((each) => keepAlives(each).length > AT_BEGINNING)
    expect(stream.cursor).toBe(`${channel.cursor().epoch}:${mid}`)
    expect(stream.cursor).not.toBe(before)
    const { events, errors } = readByParser(stream.text)
    expect(errors).toEqual([])
    expect(events.map(({ data }) => JSON.parse(data).n)).toEqual(['aspNetComet.opened'])
  })

  test('resumes from it at any node though the window was trimmed meanwhile, as from before it could not', async () => {
    const { lagging: one, current: other } = await openTwoNodes({ retention: { messages: 5 } })
    const [{ privateToken }, busy] = [await one.newClient(), await one.newClient()]
    const stream = await open(one.url, privateToken)
    const before = stream.cursor!
    for (const index of countTo(50)) await one.channel.sendMessage('M', index, { to: busy.publicToken })
    await passSeconds(15)
    await stream.until((each) => keepAlives(each).length > AT_BEGINNING)
    const after = stream.cursor!
    await stream.close()
    const outcomes = []
    for (const cursor of [after, before]) {
      const again = await RawStream.open(other.url, privateToken, { cursor })
      outcomes.push(again.headers.get('comet-outcome'))
      await again.close()
    }
    expect(outcomes).toEqual(['resumed', 'reset'])
  })

  test.each([
    ['nothing more', 0],
    ['more', 30],
  ])(
    'is told nothing while its reader takes nothing, with %s waiting for it, and again when that is over',
    async (_, more) => {
      const { newClient, channel, url, served, holds } = await openSite({ options: { keepAliveSeconds: 2 } })
      const local = await serveLocally(served.app)
      const sockets: Socket[] = []
      local.server.on('connection', (socket) => sockets.push(socket))
      const padding = 'x'.repeat(10_000)
      const stalled = await newClient()
      const got: string[] = []
      const reader = new StallingReader(local.where, stalled.privateToken, ({ n }) => got.push(n), {
        isStalled: true,
      })
      await holds(1)
      let sent = 0
      const send = async (): Promise<void> => {
        await channel.sendMessage('M', { padding }, { to: stalled.publicToken })
        sent += 1
        // It is written at the end of the turn.
        await new Promise((resolve) => setImmediate(resolve))
      }
      while (!sockets[0]!.writableNeedDrain) await send()
      for (const _ of countTo(more)) await send()
      const stream = await open(url, (await newClient()).privateToken)
      const { bytesWritten } = sockets[0]!
      // Less than it may take nothing for.
      await passSeconds(8)
      await stream.until((each) => keepAlives(each).length >= AT_BEGINNING + 4)
      expect(sockets[0]!.bytesWritten).toBe(bytesWritten)
      reader.readOn()
      await eventually(() => got.filter((name) => name === 'M').length === sent)
      await eventually(() => !sockets[0]!.writableNeedDrain)
      const { bytesTaken } = reader
      await passSeconds(15)
      await eventually(() => reader.bytesTaken > bytesTaken)
      await reader.close()
      await local.close()
    },
  )
})

describe('A stream that asked to be ended after a time', () => {
  test.each([1, 7, 20, 100])(
    'is ended after no more than %i seconds, however often it is told where it is',
    async (seconds) => {
      const { newClient, url } = await openSite({ options: { keepAliveSeconds: 15 } })
      const { privateToken } = await newClient()
      const stream = await RawStream.open(url, privateToken, { headers: { Prefer: `wait=${seconds}` } })
      await passSeconds(seconds * 0.89)
      expect(stream.ending).toBeUndefined()
      await passSeconds(seconds * 0.11 + 0.01)
      await stream.until(({ ending }) => ending === 'ended')
      expect(stream.blocks.slice(-2).map((block) => Object.keys(block))).toEqual([['id'], ['retryMs']])
    },
  )
})
