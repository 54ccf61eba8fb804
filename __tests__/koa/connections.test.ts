import { afterEach, describe, expect, jest, test } from '@jest/globals'
import bodyParser from 'koa-bodyparser'
import { RawConnection } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

function getOf(privateToken: string, cursor?: string, more = ''): string {
  const lastEventId = cursor === undefined ? '' : `Last-Event-ID: ${cursor}\r\n`
  return `GET /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\n${lastEventId}${more}\r\n`
}

describe('a connection', () => {
  test('is kept for the next poll, whatever the answer was', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    let cursor: string | undefined
    for (const n of [1, 2, 3]) {
      connection.send(getOf(privateToken, cursor))
      await site.holds(1)
      await site.channel.sendMessage('Count', n)
      const { headers, body } = await connection.answer()
      expect(JSON.parse(body)).toMatchObject([{ c: n }])
      cursor = headers['comet-cursor']
    }
    connection.send(getOf(privateToken, cursor, 'Prefer: wait=0\r\n'))
    expect(JSON.parse((await connection.answer()).body)).toMatchObject([{ n: 'aspNetComet.timeout' }])
    connection.send(getOf('unknown'))
    expect((await connection.answer()).status).toBe(401)
    connection.send(getOf(privateToken, 'other:1'))
    expect(JSON.parse((await connection.answer()).body)[0]).toMatchObject({ n: 'aspNetComet.reset' })
    expect(connection.isClosed).toBe(false)
    await connection.close()
  })

  test('with two polls sent at once answers them in order: replaced, then messages', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    connection.send(getOf(privateToken) + getOf(privateToken))
    expect(JSON.parse((await connection.answer()).body)).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await site.channel.sendMessage('Count', 1)
    expect(JSON.parse((await connection.answer()).body)).toMatchObject([{ c: 1 }])
    await connection.close()
  })

  test('of HTTP/1.0 is answered and closed', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    connection.send(getOf(privateToken).replace('HTTP/1.1', 'HTTP/1.0'))
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    expect(JSON.parse((await connection.answer()).body)).toMatchObject([{ c: 1 }])
    await eventually(() => connection.isClosed)
  })
})

test('a connection whose compressed body was none is kept for the next request', async () => {
  const site = await openSite()
  const { privateToken } = await site.newClient()
  const connection = await RawConnection.open(site.port)
  const head =
    'POST /comet HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n'
  connection.send(`${head}Comet-Token: x\r\nContent-Length: 200000\r\n\r\n${'y'.repeat(100_000)}`)
  expect((await connection.answer()).status).toBe(400)
  connection.send('y'.repeat(100_000) + getOf(privateToken, undefined, 'Prefer: wait=0\r\n'))
  expect((await connection.answer()).status).toBe(200)
  await connection.close()
})

test.each(['websocket', 'h2c', 'x, y'])('the header Upgrade: %s changes nothing', async (protocol) => {
  const site = await openSite()
  const { privateToken } = await site.newClient()
  const connection = await RawConnection.open(site.port)
  const upgrade = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: eA==\r\n`
  connection.send(getOf(privateToken, undefined, upgrade))
  await site.holds(1)
  await site.channel.sendMessage('Count', 1)
  expect(JSON.parse((await connection.answer()).body)).toMatchObject([{ c: 1 }])
  await connection.close()
})

describe('a page that goes away', () => {
  test('field row 11: is seen after its body was parsed, by the app or by the channel', async () => {
    for (const before of [[], [bodyParser()]]) {
      const site = await openSite({ before })
      const { privateToken } = await site.newClient()
      for (const body of [
        `{"privateToken":"${privateToken}"}`,
        `{"privateToken":"${privateToken}","lastMessageId":0}`,
      ]) {
        const connection = await RawConnection.open(site.port)
        const head = 'POST /comet HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
        connection.send(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)
        await site.holds(1)
        await connection.close()
        await site.holds(0)
      }
    }
  })

  test('while its request is looked up is not held at all', async () => {
    let goOn = (): void => {}
    const lookedUp = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let isAsked = false
    let isGone = false
    const site = await openSite({
      options: {
        async identify(ctx) {
          isAsked = true
          ctx.res.once('close', () => {
            isGone = true
          })
          await lookedUp
          return null
        },
      },
    })
    const subscribed: unknown[] = []
    site.channel.on('clientSubscribed', (client) => subscribed.push(client))
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    connection.send(getOf(privateToken))
    await eventually(() => isAsked)
    await connection.close()
    await eventually(() => isGone)
    goOn()
    // Another poll takes the same way behind it.
    const polling = poll(site.url, privateToken)
    await eventually(() => subscribed.length > 0)
    await site.channel.sendMessage('Count', 1)
    expect((await polling).messages).toMatchObject([{ c: 1 }])
    expect(subscribed).toHaveLength(1)
    await site.holds(0)
  })

  test('field row 24: leaves no noise, nor do answers and the close of the channel', async () => {
    const noise: unknown[] = []
    for (const method of ['log', 'warn', 'error'] as const) {
      jest.spyOn(console, method).mockImplementation((...words) => void noise.push(words))
    }
    jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void noise.push(warning))
    const site = await openSite({ options: { connectionTimeoutSeconds: 0.01 } })
    site.served.app.silent = false
    const { privateToken } = await site.newClient()
    expect((await poll(site.url, privateToken)).messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    const longer = await site.newClient({ connectionTimeoutSeconds: 25 })
    const abort = new AbortController()
    const aborted = poll(site.url, longer.privateToken, { signal: abort.signal }).catch(() => 'aborted')
    await site.holds(1)
    abort.abort()
    expect(await aborted).toBe('aborted')
    await site.holds(0)
    const replaced = poll(site.url, longer.privateToken)
    await site.holds(1)
    const closed = poll(site.url, longer.privateToken)
    await replaced
    await site.channel.close()
    await closed
    expect([noise, site.errors, site.appErrors]).toEqual([[], [], []])
  })
})
