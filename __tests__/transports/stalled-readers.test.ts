import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { CometOptions } from 'koa-comet'
import type { WireMessage } from '../../lib/wire.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { type LocalSocket, serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { StallingReader } from '../support/stalling-reader.ts'

let local: LocalSocket | undefined
const readers: StallingReader[] = []

afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.close()
  await local?.close()
  local = undefined
  await closeSites()
  realTime()
})

/** More than a local socket takes. */
const ENOUGH_MESSAGES = 60
const PADDING = 'x'.repeat(10_000)

interface Reading extends Site {
  readonly reader: StallingReader
  readonly told: WireMessage[]
  readonly privateToken: string
  /** The server's end of the connection. */
  readonly socket: Socket
  readonly where: LocalSocket['where']
}

/** A channel with one reader that takes nothing. */
async function openStalled(options: CometOptions = {}): Promise<Reading> {
  const site = await openSite({ options })
  local = await serveLocally(site.served.app)
  const sockets: Socket[] = []
  local.server.on('connection', (socket) => sockets.push(socket))
  const { privateToken } = await site.newClient()
  const told: WireMessage[] = []
  const { where } = local
  const reader = new StallingReader(where, privateToken, (message) => told.push(message), { isStalled: true })
  readers.push(reader)
  await site.holds(1)
  return { ...site, reader, told, privateToken, socket: sockets[0]!, where }
}

async function publish({ channel }: Site, count: number, from = 1): Promise<void> {
  for (const index of countTo(count, from)) await channel.sendMessage('M', { index, padding: PADDING })
}

/** Publishes until the connection takes no more. It may have been cut off for that by now. */
async function choke(reading: Reading): Promise<void> {
  await publish(reading, ENOUGH_MESSAGES)
  await eventually(() => reading.socket.writableNeedDrain || reading.socket.destroyed)
}

function indexesOf(told: readonly WireMessage[]): number[] {
  return told.flatMap(({ n, c }) => (n === 'M' ? (c as { index: number }).index : []))
}

const isLast =
  (told: readonly WireMessage[], index: number): (() => boolean) =>
  () =>
    indexesOf(told).at(-1) === index

describe('A stream whose reader stalls', () => {
  test('goes on from where it was, all in order and each once, when it reads again', async () => {
    const reading = await openStalled()
    await choke(reading)
    const { reader, told, socket } = reading
    expect(socket.writableLength).toBeLessThan(40_000)
    reader.readOn()
    await eventually(isLast(told, ENOUGH_MESSAGES))
    await publish(reading, 10, ENOUGH_MESSAGES + 1)
    await eventually(isLast(told, ENOUGH_MESSAGES + 10))
    expect(told[0]?.n).toBe('aspNetComet.opened')
    expect(told.slice(1).every(({ n }) => n === 'M')).toBe(true)
    expect(indexesOf(told)).toEqual(countTo(ENOUGH_MESSAGES + 10))
  })

  test('is told that it missed something if the window left it behind, and gets the rest', async () => {
    const reading = await openStalled({ retention: { messages: 5 } })
    await choke(reading)
    const { reader, told, channel } = reading
    reader.readOn()
    await eventually(isLast(told, ENOUGH_MESSAGES))
    const reset = told.findIndex(({ n }) => n === 'aspNetComet.reset')
    const { epoch } = channel.cursor()
    expect(told[reset]?.c).toEqual({ reason: 'trimmed', epoch, messageId: told[reset]?.mid })
    expect(told.filter(({ n }) => n === 'aspNetComet.reset')).toHaveLength(1)
    const before = indexesOf(told.slice(0, reset))
    expect(before).toEqual(countTo(before.length))
    expect(indexesOf(told.slice(reset))).toEqual(countTo(5, ENOUGH_MESSAGES - 4))
    expect(reader.ending).toBeUndefined()
  })

  test('is cut off when it takes nothing for 10 s, and resumes', async () => {
    fakeTime()
    const reading = await openStalled()
    await choke(reading)
    const { reader, told, socket, channel, holds, where, privateToken } = reading
    await passSeconds(9)
    expect(socket.destroyed).toBe(false)
    await passSeconds(3)
    expect(socket.destroyed).toBe(true)
    await holds(0)
    reader.readOn()
    await eventually(() => reader.ending !== undefined)
    expect(reader.ending).toBe('cut')
    const again = new StallingReader(where, privateToken, (message) => told.push(message), {
      cursor: reader.cursor,
    })
    readers.push(again)
    await eventually(isLast(told, ENOUGH_MESSAGES))
    expect(indexesOf(told)).toEqual(countTo(ENOUGH_MESSAGES))
    expect(told.filter(({ n }) => n === 'aspNetComet.reset')).toEqual([])
    expect(channel.stats().heldRequests).toBe(1)
    expect([reading.errors, reading.appErrors]).toEqual([[], []])
  })

  test('is given all the time anew whenever it takes something: one that is slow is not cut off', async () => {
    fakeTime()
    const reading = await openStalled({ retention: { messages: 1000 } })
    const { reader, told, socket, holds } = reading
    await choke(reading)
    let published = ENOUGH_MESSAGES
    for (let times = 0; times < 10; times += 1) {
      await passSeconds(9)
      await publish(reading, 30, published + 1)
      published += 30
      await reader.takeBytes(250_000)
      await eventually(() => socket.writableNeedDrain)
    }
    expect(socket.destroyed).toBe(false)
    // From here on it takes nothing. The last of what it took counts.
    await passSeconds(20)
    expect(socket.destroyed).toBe(true)
    await holds(0)
    expect(indexesOf(told)).toEqual(countTo(indexesOf(told).length))
  })

  test('is not cut off while it takes a part of one large message at a time', async () => {
    fakeTime()
    const reading = await openStalled({ maxMessageBytes: 8_000_000 })
    const { reader, channel, socket } = reading
    await channel.sendMessage('M', { index: 1, padding: 'x'.repeat(7_000_000) })
    await eventually(() => socket.writableNeedDrain)
    for (let times = 0; times < 10; times += 1) {
      await passSeconds(9)
      await reader.takeBytes(500_000)
    }
    expect([socket.destroyed, socket.writableNeedDrain]).toEqual([false, true])
  })

  test('is cut off although it sends something all the time', async () => {
    fakeTime()
    const reading = await openStalled()
    await choke(reading)
    const { reader, socket } = reading
    for (let seconds = 0; seconds < 12; seconds += 4) {
      const { bytesRead } = socket
      reader.socket.write('\r\n')
      await eventually(() => socket.bytesRead > bytesRead)
      await passSeconds(4)
    }
    expect(socket.destroyed).toBe(true)
  })

  test('is cut off as well when it was ended meanwhile', async () => {
    fakeTime()
    const reading = await openStalled()
    await choke(reading)
    const { channel, holds, socket } = reading
    await channel.close({ overSeconds: 0 })
    await holds(0)
    expect(socket.destroyed).toBe(false)
    await passSeconds(12)
    expect(socket.destroyed).toBe(true)
  })

  test('that reads again in time is not cut off while it is told nothing', async () => {
    fakeTime()
    const reading = await openStalled({ keepAliveSeconds: 60 })
    await choke(reading)
    reading.reader.readOn()
    await eventually(isLast(reading.told, ENOUGH_MESSAGES))
    await eventually(() => !reading.socket.writableNeedDrain)
    await passSeconds(30)
    expect(reading.socket.destroyed).toBe(false)
  })
})
