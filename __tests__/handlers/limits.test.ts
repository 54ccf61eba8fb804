import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { RawConnection } from './raw-connection.ts'

afterEach(closeSites)

describe('maxHeldRequests', () => {
  test('refuses to hold more with 503 and Retry-After, and harms none that are held', async () => {
    const site = await openSite({ options: { maxHeldRequests: 2 } })
    const held = []
    for (const _ of [1, 2]) held.push(poll(site.url, (await site.newClient()).privateToken))
    await site.holds(2)
    const { privateToken } = await site.newClient()
    const { status, headers, messages } = await poll(site.url, privateToken)
    expect([status, messages[0]?.code]).toEqual([503, 'COMET_TOO_MANY_REQUESTS_ARE_HELD'])
    expect(['1', '2', '3', '4', '5']).toContain(headers.get('retry-after'))
    await site.channel.sendMessage('Count', 1)
    for (const answer of await Promise.all(held)) expect(answer.messages).toMatchObject([{ c: 1 }])
    // There is room again, and nothing was lost meanwhile.
    expect((await poll(site.url, privateToken)).messages).toMatchObject([{ c: 1 }])
  })

  test('limits what is held, not what is answered at once', async () => {
    const site = await openSite({ options: { maxHeldRequests: 1 } })
    const held = poll(site.url, (await site.newClient()).privateToken)
    await site.holds(1)
    const { publicToken, privateToken } = await site.newClient()
    expect((await glance(site.url, privateToken)).status).toBe(200)
    await site.channel.sendMessage('Yours', 1, { to: publicToken })
    expect((await poll(site.url, privateToken)).messages).toMatchObject([{ n: 'Yours' }])
    await site.channel.sendMessage('All', 1)
    await held
  })

  test('does not count a client twice: the poll that replaces its older one finds room', async () => {
    const site = await openSite({ options: { maxHeldRequests: 1 } })
    const { privateToken } = await site.newClient()
    const older = poll(site.url, privateToken)
    await site.holds(1)
    const newer = poll(site.url, privateToken)
    expect((await older).messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await site.channel.sendMessage('Count', 1)
    expect((await newer).messages).toMatchObject([{ c: 1 }])
  })
})

describe('maxClients', () => {
  test('refuses more with COMET_TOO_MANY_CLIENTS, a page with 503 and Retry-After, until one is gone', async () => {
    const site = await openSite({ options: { maxClients: 2, register: () => ({}) } })
    const register = (): Promise<Response> => fetch(`${site.url}/register`, { method: 'POST' })
    const { publicToken } = await site.newClient()
    expect((await register()).status).toBe(200)
    const refused = await register()
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject([{ code: 'COMET_TOO_MANY_CLIENTS' }])
    await expect(site.newClient()).rejects.toMatchObject({ code: 'COMET_TOO_MANY_CLIENTS' })
    await site.channel.stopClient(publicToken)
    expect((await register()).status).toBe(200)
  })
})

describe('a body of more than 4 KiB', () => {
  const types = ['application/json', 'application/x-www-form-urlencoded']
  const addresses = ['', '/register', '/goodbye']
  const cases = addresses.flatMap((address) => types.map((type) => [address, type] as const))

  test.each(cases)('is refused at /comet%s as %s with 413 and Connection: close', async (address, type) => {
    const site = await openSite({ options: { register: () => ({}) } })
    const body = type.endsWith('json') ? `{"x":"${'y'.repeat(5000)}"}` : `epoch=e&x=${'y'.repeat(5000)}`
    // With a token in a header, so that no form counts as one of AspNetComet.
    const headers = { 'Content-Type': type, 'Comet-Token': 'x' }
    const response = await fetch(`${site.url}${address}`, { method: 'POST', headers, body })
    expect(response.status).toBe(413)
    expect(response.headers.get('connection')).toBe('close')
    expect(await response.json()).toMatchObject([{ code: 'COMET_BODY_IS_TOO_LARGE' }])
  })

  test('is refused by its announced length, before it is sent', async () => {
    const { port } = await openSite()
    const connection = await RawConnection.open(port)
    const head = 'POST /comet/goodbye HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    connection.send(`${head}Content-Length: 100000000\r\n\r\n`)
    expect((await connection.answer()).status).toBe(413)
    await eventually(() => connection.isClosed)
  })

  test('is refused while it comes in, without a length, and the connection is cut', async () => {
    const { port } = await openSite()
    const connection = await RawConnection.open(port)
    const head = 'POST /comet/goodbye HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    connection.send(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    // Without end: only the server can make it stop.
    while (!connection.isClosed) {
      if (connection.socket.writable) connection.send(`400\r\n${'{'.repeat(1024)}\r\n`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(connection.received).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('that takes little when compressed is refused as it is inflated', async () => {
    const { url } = await openSite()
    const stream = new Blob(['x'.repeat(10_000_000)]).stream().pipeThrough(new CompressionStream('gzip'))
    const body = await new Response(stream).arrayBuffer()
    const response = await fetch(`${url}/goodbye`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Encoding': 'gzip' },
      body,
    })
    expect(response.status).toBe(413)
  })
})

describe('a held request whose page is gone', () => {
  test('is given up at once, on any way of going, and its client loses nothing', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const request = `GET /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\n\r\n`
    const ways: ((connection: RawConnection) => void)[] = [
      ({ socket }) => socket.destroy(),
      ({ socket }) => socket.resetAndDestroy(),
      ({ socket }) => socket.end(),
    ]
    for (const leave of ways) {
      const connection = await RawConnection.open(site.port)
      connection.send(request)
      await site.holds(1)
      leave(connection)
      await site.holds(0)
      await connection.close()
    }
    await site.channel.sendMessage('Count', 1)
    expect((await poll(site.url, privateToken)).messages).toMatchObject([{ c: 1 }])
    expect(site.errors).toEqual([])
  })
})
