import { afterEach, describe, expect, test } from '@jest/globals'
import { poll } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { RawConnection, rawExchange } from './raw-connection.ts'

afterEach(closeSites)

const ENDPOINTS = [
  ['', 'GET, POST, OPTIONS'],
  ['/register', 'POST, OPTIONS'],
  ['/goodbye', 'POST, OPTIONS'],
  ['/client.js', 'GET, HEAD, OPTIONS'],
] as const

function openWhole(): Promise<Site> {
  return openSite({ options: { register: () => ({}) } })
}

describe('a method that an address does not have', () => {
  test.each(ENDPOINTS)('is refused at /comet%s with 405 and Allow: %s', async (endpoint, allow) => {
    const { url } = await openWhole()
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
      if (allow.includes(method)) continue
      const response = await fetch(`${url}${endpoint}`, { method })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe(allow)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(await response.json()).toMatchObject([{ code: 'COMET_METHOD_IS_NOT_ALLOWED' }])
    }
  })

  test('is refused before anything else: origin, token, Accept and body do not matter', async () => {
    const { port } = await openSite({ options: { identify: () => Promise.reject(new Error('not asked')) } })
    const answer = await rawExchange(
      port,
      'PUT /comet HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n' +
        'Accept: text/plain\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n{{{{',
    )
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, POST, OPTIONS')
  })

  test('HEAD of the subscribe address is one, and holds nothing', async () => {
    const { port, channel, newClient } = await openSite()
    const { privateToken } = await newClient()
    const connection = await RawConnection.open(port)
    connection.send(`HEAD /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\n\r\n`)
    connection.send('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await new Promise((resolve) => connection.socket.once('close', resolve))
    expect(connection.received).toMatch(/^HTTP\/1\.1 405 /)
    expect(connection.received).toContain('Allow: GET, POST, OPTIONS\r\n')
    // The next answer follows right behind the headers: HEAD has no body.
    expect(connection.received).toMatch(/\r\n\r\nHTTP\/1\.1 404 /)
    expect(channel.stats().heldRequests).toBe(0)
  })
})

describe('OPTIONS', () => {
  test.each(ENDPOINTS)('of /comet%s is answered 204 with Allow: %s', async (endpoint, allow) => {
    const { url } = await openWhole()
    const response = await fetch(`${url}${endpoint}`, { method: 'OPTIONS' })
    expect(response.status).toBe(204)
    expect(response.headers.get('allow')).toBe(allow)
    expect(await response.text()).toBe('')
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('a subscribe request', () => {
  test.each(['text/html', 'application/json;q=0', 'image/*'])(
    'that accepts only what the channel does not produce is refused with 406: %s',
    async (accept) => {
      const { url, newClient } = await openSite()
      const { privateToken } = await newClient()
      const { status, messages } = await poll(url, privateToken, { headers: { Accept: accept } })
      expect([status, messages[0]?.code]).toEqual([406, 'COMET_NOT_ACCEPTABLE'])
    },
  )

  test.each(['application/json', '*/*', 'application/*', 'text/html, */*;q=0.1', ''])(
    'that accepts JSON is served: %j',
    async (accept) => {
      const { url, newClient } = await openSite()
      const { privateToken } = await newClient()
      const headers = { Accept: accept, Prefer: 'wait=0' }
      expect((await poll(url, privateToken, { headers })).status).toBe(200)
    },
  )

  test('of GET with a body is refused with 400, and not held with its body unread', async () => {
    const { port, channel, newClient } = await openSite()
    const { privateToken } = await newClient()
    const head = `GET /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\n`
    for (const body of [
      'Content-Length: 5\r\n\r\nhello',
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ]) {
      const answer = await rawExchange(port, head + body)
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body)).toMatchObject([{ code: 'COMET_PARAMETERS_ARE_INVALID' }])
    }
    const empty = await rawExchange(port, `${head}Prefer: wait=0\r\nContent-Length: 0\r\n\r\n`)
    expect(empty.status).toBe(200)
    expect(channel.stats().heldRequests).toBe(0)
  })

  test.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'bearer\tx', 'Bearer a b'])(
    'without a token is refused with 401: Authorization: %j',
    async (authorization) => {
      const { url } = await openSite()
      const { status, headers, messages } = await poll(url, '', { headers: { Authorization: authorization } })
      expect([status, messages[0]?.code]).toEqual([401, 'COMET_TOKEN_IS_MISSING'])
      expect(headers.get('www-authenticate')).toBe('Bearer')
    },
  )

  test('bears its token as Comet-Token where the app uses Authorization itself', async () => {
    const { url, channel, newClient } = await openSite()
    const { privateToken } = await newClient()
    await channel.sendMessage('Count', 1)
    for (const authorization of ['Basic YTpi', 'Bearer the-token-of-the-app-itself', 'Digest x="y"']) {
      const headers = { Authorization: authorization, 'Comet-Token': privateToken }
      expect((await poll(url, '', { headers })).messages).toMatchObject([{ c: 1 }])
    }
  })

  test('writes Bearer in any case, as RFC 9110 allows', async () => {
    const { url, newClient } = await openSite()
    const { privateToken } = await newClient()
    const headers = { Authorization: `bEARER  ${privateToken}`, Prefer: 'wait=0' }
    expect((await poll(url, '', { headers })).status).toBe(200)
  })

  test('of an address that the channel does not have goes on to Koa', async () => {
    const { served, url } = await openSite()
    for (const address of [
      '/',
      '/comets',
      '/comet/x',
      '/comet/register',
      '/Comet',
      '//comet',
      '/comet%2Fgoodbye',
    ]) {
      const response = await fetch(`${served.origin}${address}`, { method: 'POST' })
      expect([address, response.status, await response.text()]).toEqual([address, 404, 'Not Found'])
    }
    expect((await fetch(`${url}?x=1`)).status).toBe(401)
  })
})
