import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { CometOptions } from 'koa-comet'
import { RawConnection } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { type LocalSocket, serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

let local: LocalSocket | undefined
const connections: RawConnection[] = []

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close()
  await local?.close()
  local = undefined
  await closeSites()
  realTime()
})

interface Served extends Site {
  readonly privateToken: string
  /** The server's ends of the connections. */
  readonly sockets: Socket[]
  /** How many requests have come, and of how many the middleware is through. */
  readonly counts: { asked: number; answered: number }
  /** The text of a poll from the beginning. */
  poll(more?: string): string
  connect(isStalled: boolean): RawConnection
}

/** A channel with a client for which so many bytes wait, more than a local socket takes if not told otherwise. */
async function openWith(bytes = 2_000_000, options: CometOptions = {}): Promise<Served> {
  const counts = { asked: 0, answered: 0 }
  const site = await openSite({
    options: { maxMessageBytes: bytes + 100, maxAnswerBytes: bytes, ...options },
    before: [
      async (_ctx, next) => {
        counts.asked += 1
        await next()
        counts.answered += 1
      },
    ],
  })
  local = await serveLocally(site.served.app)
  const { server, where } = local
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  const { privateToken, start } = await site.newClient()
  await site.channel.sendMessage('M', 'x'.repeat(bytes))
  const cursor = `${start.epoch}:${start.messageId}`
  return {
    ...site,
    privateToken,
    sockets,
    counts,
    poll: (more = '') =>
      `GET /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\nLast-Event-ID: ${cursor}\r\n${more}\r\n`,
    connect(isStalled) {
      const socket = connect(where)
      const connection = new RawConnection(socket)
      if (isStalled) socket.pause()
      connections.push(connection)
      return connection
    },
  }
}

/** A connection whose reader takes nothing of its answer. */
async function stall(served: Served): Promise<{ connection: RawConnection; socket: Socket }> {
  const before = served.sockets.length
  const connection = served.connect(true)
  connection.send(served.poll())
  await eventually(() => (served.sockets[before]?.writableLength ?? 0) > 0)
  return { connection, socket: served.sockets[before]! }
}

const SETTLING = 3

/** Others are served meanwhile: whatever could be done at once has been done. */
async function settle({ url, newClient }: Site): Promise<void> {
  for (let times = 0; times < SETTLING; times += 1) {
    const { privateToken } = await newClient()
    await fetch(url, { headers: { 'Comet-Token': privateToken, Prefer: 'wait=0' } })
  }
}

describe('Polls of one client that are sent at once on one connection', () => {
  test('are answered one after another, as their reader takes the answers', async () => {
    const served = await openWith()
    const connection = served.connect(true)
    connection.send(served.poll().repeat(20))
    await eventually(() => served.counts.asked === 20 && served.counts.answered > 0)
    await settle(served)
    expect(served.counts.answered - SETTLING).toBe(1)
    connection.socket.resume()
    for (const _ of countTo(20)) expect((await connection.answer()).body.length).toBeGreaterThan(2_000_000)
    expect(served.errors).toEqual([])
  }, 60_000)

  test('wait no longer when their connection is gone', async () => {
    const served = await openWith()
    const connection = served.connect(true)
    connection.send(served.poll().repeat(20))
    await eventually(() => served.counts.asked === 20 && served.counts.answered > 0)
    await connection.close()
    await eventually(() => served.counts.answered === 20)
    await served.holds(0)
  })

  test('do not wait for what stands in line behind them', async () => {
    let isLetIn = (): void => undefined
    const served = await openWith(100_000, {
      identify: async (ctx) => {
        if (ctx.get('X-Slow') !== '') await new Promise<void>((resolve) => (isLetIn = resolve))
        return null
      },
    })
    const connection = served.connect(false)
    connection.send(served.poll('X-Slow: 1\r\n') + served.poll())
    await eventually(() => served.counts.answered === 1)
    isLetIn()
    expect((await connection.answer()).body).toContain('aspNetComet.replaced')
    expect((await connection.answer()).body).toContain('xxx')
  })

  test('are all answered with what there is, if that is small', async () => {
    const served = await openWith(1000)
    const connection = served.connect(false)
    connection.send(served.poll().repeat(10))
    for (const _ of countTo(10)) expect((await connection.answer()).body).toContain('xxx')
  })
})

describe('An answer that its reader does not take', () => {
  test('is cut off after 10 s, whatever the reader sends', async () => {
    fakeTime()
    const { connection, socket } = await stall(await openWith())
    await passSeconds(9)
    expect(socket.destroyed).toBe(false)
    const { bytesRead } = socket
    connection.send('\r\n')
    await eventually(() => socket.bytesRead > bytesRead)
    await passSeconds(3)
    expect(socket.destroyed).toBe(true)
  })

  test('is cut off as well if its request had been held', async () => {
    fakeTime()
    const served = await openWith()
    const connection = served.connect(true)
    connection.send(served.poll().replace(/Last-Event-ID: .*\r\n/, `Last-Event-ID: ${headOf(served)}\r\n`))
    await served.holds(1)
    await served.channel.sendMessage('M', 'x'.repeat(2_000_000))
    await served.holds(0)
    await passSeconds(9)
    expect(served.sockets[0]!.destroyed).toBe(false)
    await passSeconds(3)
    expect(served.sockets[0]!.destroyed).toBe(true)
  })

  test('is not cut off as long as it is taken slowly', async () => {
    fakeTime()
    const { connection, socket } = await stall(await openWith(8_000_000))
    for (let times = 0; times < 10; times += 1) {
      await passSeconds(9)
      const enough = connection.socket.bytesRead + 300_000
      connection.socket.resume()
      await eventually(() => connection.socket.bytesRead >= enough)
      connection.socket.pause()
    }
    expect([socket.destroyed, socket.writableLength > 0]).toEqual([false, true])
  })

  test('is cut off when its client has the next one on another connection', async () => {
    const served = await openWith()
    const { socket } = await stall(served)
    const next = served.connect(false)
    next.send(served.poll())
    expect((await next.answer()).body.length).toBeGreaterThan(2_000_000)
    expect(socket.destroyed).toBe(true)
  })

  test('stays if another client is answered, or a page that has not the client', async () => {
    const served = await openWith()
    const connection = served.connect(true)
    connection.send(served.poll('Comet-Page: page-1;new\r\n'))
    await eventually(() => (served.sockets[0]?.writableLength ?? 0) > 0)
    const other = served.connect(false)
    other.send(served.poll('Comet-Page: page-2\r\n'))
    expect((await other.answer()).body).toContain('aspNetComet.replaced')
    await settle(served)
    expect(served.sockets[0]!.destroyed).toBe(false)
  })

  test('that is small is not cut off for the next one', async () => {
    const served = await openWith(1000)
    const [older, newer] = [served.connect(true), served.connect(false)]
    older.send(served.poll())
    await eventually(() => served.counts.answered === 1)
    newer.send(served.poll())
    expect((await newer.answer()).body).toContain('xxx')
    older.socket.resume()
    expect((await older.answer()).body).toContain('xxx')
  })
})

function headOf({ channel }: Site): string {
  const { epoch, messageId } = channel.cursor()
  return `${epoch}:${messageId}`
}
