import type { Socket } from 'node:net'
import { afterEach, expect, jest, test } from '@jest/globals'
import { StreamWriter } from '../../lib/subscribe/stream-writer.ts'
import { eventually } from '../support/eventually.ts'
import { heldBytes } from '../support/heap.ts'
import { serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { ofApp, StallingReader } from '../support/stalling-reader.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

const STALLED = 1000
const READING = 20
const MESSAGE_BYTES = 10_000
const WINDOW_BYTES = 256 * 1024
/** What is read for one stream at a time, and a little for what the format adds. */
const FRAME_BYTES = 33 * 1024

interface Cost {
  /** How much memory grew. */
  readonly growth: number
  /** The most that waits for one reader. */
  readonly waiting: number
  /** What each of those who read has got. */
  readonly got: readonly (readonly number[])[]
}

/**
 * What it costs to publish so many messages of which 1,000 readers take nothing. The sockets and the window are full
 * before. Each message is published when all who read have got the one before.
 */
async function costOf(messages: number): Promise<Cost> {
  const { channel, served, newClient, holds } = await openSite({
    options: { retention: { bytes: WINDOW_BYTES } },
  })
  const { server, where, close } = await serveLocally(served.app)
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  const readers: StallingReader[] = []
  const got: number[][] = []
  for (const index of countTo(STALLED + READING)) {
    const isStalled = index > READING
    const own: number[] = []
    if (!isStalled) got.push(own)
    const take = ofApp(({ c }) => own.push((c as { index: number }).index))
    const { privateToken } = await newClient()
    readers.push(new StallingReader(where, privateToken, take, { isStalled }))
  }
  try {
    await holds(STALLED + READING)
    const padding = 'x'.repeat(MESSAGE_BYTES)
    const publish = async (from: number, count: number): Promise<void> => {
      for (const index of countTo(count, from)) {
        await channel.sendMessage('M', { index, padding })
        await eventually(() => got.every((each) => each.at(-1) === index))
      }
    }
    await publish(1, 50)
    const before = await heldBytes()
    await publish(51, messages)
    const growth = (await heldBytes()) - before
    expect(channel.stats().heldRequests).toBe(STALLED + READING)
    expect(readers.filter(({ bytesTaken }) => bytesTaken === 0)).toHaveLength(STALLED)
    return { growth, waiting: Math.max(...sockets.map(({ writableLength }) => writableLength)), got }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()))
    await close()
  }
}

/** A kilobyte for each of them: a tenth of a message. */
const FLAT_BYTES = STALLED * 1000

test('Promise 6: 1,000 readers that take nothing cost no memory, and those who read are not held up', async () => {
  const { growth, waiting, got } = await costOf(100)
  expect(got).toEqual(Array(READING).fill(countTo(150)))
  expect(growth).toBeLessThan(FLAT_BYTES)
  expect(waiting).toBeLessThanOrEqual(2 * FRAME_BYTES)
}, 60_000)

test('Promise 6: were they written on to, memory would be seen to grow', async () => {
  jest.spyOn(StreamWriter.prototype, 'isChoked', 'get').mockReturnValue(false)
  const { growth, waiting } = await costOf(50)
  expect(growth).toBeGreaterThan(5 * FLAT_BYTES)
  expect(waiting).toBeGreaterThan(10 * 2 * FRAME_BYTES)
}, 60_000)
