import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Middleware } from 'koa'
import type { CometOptions } from 'koa-comet'
import { eventually } from '../support/eventually.ts'
import { type LocalSocket, serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { ofApp, StallingReader } from '../support/stalling-reader.ts'

const readers: StallingReader[] = []
let local: LocalSocket | undefined

afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.close()
  await local?.close()
  local = undefined
  await closeSites()
})

/** One piece that the server has handed to a connection. */
interface Write {
  readonly socket: Socket
  readonly piece: unknown
}

interface Broadcast extends Site {
  /** What was written since the streams were open. */
  readonly writes: Write[]
  /** How many messages have come in all. */
  got(): number
}

/** A channel with so many open streams, and what is written to them. */
async function openStreams(
  count: number,
  { options = {}, before = [] }: { options?: CometOptions; before?: Middleware[] } = {},
): Promise<Broadcast> {
  // None but those that a test asks for.
  const site = await openSite({ options: { keepAliveSeconds: 3600, ...options }, before })
  local = await serveLocally(site.served.app)
  const writes: Write[] = []
  local.server.on('connection', (socket: Socket) => {
    const write = socket.write.bind(socket) as (...details: unknown[]) => boolean
    socket.write = (...details: unknown[]) => {
      writes.push({ socket, piece: details[0] })
      return write(...details)
    }
  })
  let [opened, got] = [0, 0]
  const countGot = ofApp(() => {
    got += 1
  })
  for (const _ of countTo(count)) {
    const { privateToken } = await site.newClient()
    const reader = new StallingReader(local.where, privateToken, (message) => {
      if (message.n === 'aspNetComet.opened') opened += 1
      countGot(message)
    })
    readers.push(reader)
  }
  await eventually(() => opened === count)
  writes.splice(0)
  return { ...site, writes, got: () => got }
}

/** How many pieces of memory were written, and the most that one connection was handed. */
function sharing(writes: readonly Write[]): { pieces: number; most: number; connections: number } {
  const counts = new Map<Socket, number>()
  for (const { socket } of writes) counts.set(socket, (counts.get(socket) ?? 0) + 1)
  return {
    pieces: new Set(writes.map(({ piece }) => piece)).size,
    most: Math.max(...counts.values()),
    connections: counts.size,
  }
}

describe('A broadcast', () => {
  test('is one piece of memory, written once to each stream', async () => {
    const { channel, writes, got } = await openStreams(50)
    await channel.sendMessage('M', 'x'.repeat(1000))
    await eventually(() => got() === 50)
    expect(sharing(writes)).toEqual({ pieces: 1, most: 1, connections: 50 })
    expect(Buffer.isBuffer(writes[0]!.piece)).toBe(true)
  })

  test('of many messages in one turn is one piece of memory too, written once to each stream', async () => {
    const { channel, writes, got } = await openStreams(50)
    await Promise.all(countTo(20).map((index) => channel.sendMessage('M', index)))
    await eventually(() => got() === 50 * 20)
    expect(sharing(writes)).toEqual({ pieces: 1, most: 1, connections: 50 })
  })

  test('goes past those whom it is not for, and is shared by the others', async () => {
    const { channel, writes, got, newClient } = await openStreams(50)
    const { publicToken } = await newClient()
    const clients = []
    for await (const client of channel.getClients()) clients.push(client.publicToken)
    const to = clients.filter((each) => each !== publicToken).slice(0, 20)
    await channel.sendMessage('M', 1, { to })
    await eventually(() => got() === 20)
    expect(sharing(writes)).toEqual({ pieces: 1, most: 1, connections: 20 })
  })

  test('that cannot go past the response is seen to take more', async () => {
    const ownWrite: Middleware = ({ res }, next) => {
      const write = res.write.bind(res) as (...details: unknown[]) => boolean
      Object.assign(res, { write: (...details: unknown[]) => write(...details) })
      return next()
    }
    const { channel, writes, got } = await openStreams(50, { before: [ownWrite] })
    await channel.sendMessage('M', 'x'.repeat(1000))
    await eventually(() => got() === 50)
    expect(sharing(writes).most).toBeGreaterThan(1)
  })
})

test('A keep-alive is shared by the streams that are told it one after another', async () => {
  const { writes } = await openStreams(50, { options: { keepAliveSeconds: 0.5 } })
  await eventually(() => sharing(writes).connections === 50)
  expect(sharing(writes).pieces).toBe(1)
})

/** Counts the turns of the event loop and the timers that ran, and tells of each piece when it was written. */
class LoopWatch {
  turns = 0
  timers = 0
  #isOver = false

  constructor() {
    const turn = (): void => {
      this.turns += 1
      if (!this.#isOver) setImmediate(turn)
    }
    const timer = (): void => {
      this.timers += 1
      if (!this.#isOver) setTimeout(timer, 0)
    }
    setImmediate(turn)
    setTimeout(timer, 0)
  }

  end(): void {
    this.#isOver = true
  }
}

/** How a broadcast to 2,000 was spread over turns: the most in one, and in how many runs of timers. */
function spreadOf(marks: readonly { turn: number; timers: number }[]): { most: number; timers: number } {
  const perTurn = new Map<number, number>()
  for (const { turn } of marks) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1)
  return { most: Math.max(...perTurn.values()), timers: new Set(marks.map(({ timers }) => timers)).size }
}

test('A broadcast to 2,000 streams lets timers and other requests run in between', async () => {
  const { channel, writes, got } = await openStreams(2000)
  const watch = new LoopWatch()
  const marks: { turn: number; timers: number }[] = []
  writes.push = (...pieces) => marks.push(...pieces.map(() => ({ turn: watch.turns, timers: watch.timers })))
  await channel.sendMessage('M', 1)
  await eventually(() => got() === 2000)
  watch.end()
  expect(marks).toHaveLength(2000)
  const { most, timers } = spreadOf(marks)
  expect(most).toBeLessThanOrEqual(500)
  expect(timers).toBeGreaterThan(1)
  // Written in one go, it would be seen.
  expect(spreadOf(marks.map(() => ({ turn: 1, timers: 1 })))).toEqual({ most: 2000, timers: 1 })
}, 90_000)
