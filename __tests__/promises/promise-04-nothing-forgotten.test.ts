import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { TestTransport } from '../support/exchange.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

/** Reads `count` bytes of an answer, then resets the connection. Returns how many there were to read. */
async function askAndReset(
  port: number,
  { accept }: TestTransport,
  { privateToken, cursor }: { readonly privateToken: string; readonly cursor: string },
  count: number,
): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  const lines = [
    'GET /comet HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${privateToken}`,
    `Last-Event-ID: ${cursor}`,
    `Accept: ${accept}`,
    'Prefer: wait=0',
    'Connection: close',
    '',
    '',
  ]
  socket.write(lines.join('\r\n'))
  let read = 0
  socket.on('data', ({ length }: Buffer) => {
    read += length
    if (read >= count) socket.resetAndDestroy()
  })
  await once(socket, 'close')
  return read
}

overEachTransport(({ glance, transport }) => {
  describe('Promise 4: a message stays until retention removes it', () => {
    test('Row 1: though the page was cut off within its answer, at whatever byte', async () => {
      const { channel, newClient, port, url } = await openSite()
      const { privateToken, start } = await newClient()
      const begin = `${start.epoch}:${start.messageId}`
      for (const index of countTo(3)) await channel.sendMessage('M', index)
      const asking = { privateToken, cursor: begin }
      const length = await askAndReset(port, transport, asking, Number.POSITIVE_INFINITY)
      expect(length).toBeGreaterThan(300)
      for (const cut of countTo(40)) {
        await askAndReset(port, transport, asking, (cut * length) / 40)
        const { outcome, messages } = await glance(url, privateToken, { cursor: begin })
        expect([outcome, messages.map(({ c }) => c)]).toEqual(['resumed', [1, 2, 3]])
      }
    })

    test('Row 3: though the answer was given to a connection that never read it', async () => {
      const { channel, newClient, port, url, served } = await openSite()
      const { privateToken } = await newClient()
      await channel.sendMessage('M', 1)
      const finished: boolean[] = []
      served.server.on('request', (_, res) => res.on('close', () => finished.push(res.writableFinished)))
      const socket = connect(port, '127.0.0.1')
      socket.pause()
      socket.write(
        `GET /comet HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${privateToken}\r\nAccept: ${transport.accept}\r\nPrefer: wait=0\r\nConnection: close\r\n\r\n`,
      )
      while (finished.length === 0) await new Promise(setImmediate)
      socket.resetAndDestroy()
      expect(finished).toEqual([true])
      expect((await glance(url, privateToken)).messages).toMatchObject([{ c: 1 }])
    })

    test('as often as it is asked for without being acknowledged', async () => {
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      await channel.sendMessage('M', 1)
      let cursor: string | null = null
      for (const _ of countTo(5)) {
        const answer = await glance(url, privateToken)
        expect(answer.messages).toMatchObject([{ c: 1 }])
        cursor = answer.cursor
      }
      expect((await glance(url, privateToken, { cursor: cursor! })).messages).toMatchObject([
        { n: 'aspNetComet.timeout' },
      ])
    })

    test('what a client asks for next acknowledges what came before, and nothing else does', async () => {
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      for (const index of countTo(3)) await channel.sendMessage('M', index)
      const { cursor } = await glance(url, privateToken)
      await channel.sendMessage('M', 4)
      expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([1, 2, 3, 4])
      await glance(url, privateToken, { cursor: cursor! })
      expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([4])
    })

    test('Row 34: a backlog larger than one answer comes in order, and without waiting', async () => {
      const { channel, newClient, url } = await openSite({ options: { maxAnswerBytes: 10_000 } })
      const { privateToken } = await newClient()
      for (const index of countTo(100)) await channel.sendMessage('M', `${index} ${'x'.repeat(500)}`)
      const got: number[] = []
      let cursor: string | undefined
      while (got.length < 100) {
        const answer = await glance(url, privateToken, { cursor })
        got.push(...answer.messages.map(({ c }) => Number.parseInt(c as string, 10)))
        cursor = answer.cursor!
      }
      expect(got).toEqual(countTo(100))
    })
  })
})
