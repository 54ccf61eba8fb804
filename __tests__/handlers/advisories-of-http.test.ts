import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { expectServed } from './expect-served.ts'
import { RawConnection, rawExchange } from './raw-connection.ts'

afterEach(closeSites)

const ADDRESSES = ['/comet', '/comet/register', '/comet/goodbye', '/comet/client.js']

function openWhole(): Promise<Site> {
  return openSite({ options: { register: () => ({}) } })
}

/** Each is a bug of a comparable system; the number is its row in our list of them. */
describe('what others were attacked by over HTTP does nothing here', () => {
  test('row 2, CVE-2020-28481: no origin is allowed by default, and none is reflected', async () => {
    const site = await openWhole()
    for (const address of ADDRESSES) {
      const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' }
      for (const method of ['OPTIONS', 'GET', 'POST']) {
        const response = await fetch(site.served.origin + address, { method, headers })
        // The scripts are the same for all, without cookies.
        const isScript = address.endsWith('.js') && response.status === 200
        expect(response.headers.get('access-control-allow-origin')).toBe(isScript ? '*' : null)
        expect(response.headers.get('access-control-allow-credentials')).toBeNull()
      }
    }
  })

  test('row 3, CVE-2020-36048: a body without end is cut off at its limit, on every address', async () => {
    const site = await openWhole()
    for (const address of ADDRESSES.slice(0, 3)) {
      const connection = await RawConnection.open(site.port)
      const head = `POST ${address} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n`
      connection.send(`${head}Transfer-Encoding: chunked\r\n\r\n`)
      while (!connection.isClosed) {
        if (connection.socket.writable) connection.send(`1000\r\n${'a'.repeat(4096)}\r\n`)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await expectServed(site)
  })

  test('row 13, CVE-2020-11020: an address is matched as a whole, and nothing near it counts as it', async () => {
    const site = await openWhole()
    for (const near of [
      'register/x',
      'register/',
      'register%2Fx',
      '%72egister',
      'REGISTER',
      './x/../register%00',
      'register;x',
    ]) {
      const answer = await rawExchange(
        site.port,
        `POST /comet/${near} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
      )
      expect([near, answer.status]).toEqual([near, 404])
    }
  })

  test('row 20, CVE-2020-7693: Upgrade: websocket crashes nothing, on every address', async () => {
    const site = await openWhole()
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n'
    for (const address of [...ADDRESSES, '/comet/websocket', '/elsewhere']) {
      const { status } = await rawExchange(site.port, `GET ${address} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`)
      expect([200, 401, 404, 405]).toContain(status)
    }
    await expectServed(site)
  })

  test('row 21, CVE-2020-8823: there is no callback to put script into, and nothing to be sniffed', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const url = `${site.url}?callback=%3Cscript%3Ealert(1)%3C/script%3E&c=alert&jsonp=1`
    for (const token of [privateToken, 'unknown']) {
      const response = await fetch(url, { headers: { 'Comet-Token': token, Prefer: 'wait=0' } })
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(await response.text()).not.toMatch(/script|alert/)
    }
  })

  test('row 27, CVE-2025-25200: Koa is of a version without the slow parsing of forwarded headers', async () => {
    const require = createRequire(import.meta.url)
    const own = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(own.peerDependencies.koa).toBe('^3.1.2')
    const [major = 0, minor = 0] = (require('koa/package.json').version as string).split('.').map(Number)
    expect(major === 3 && minor >= 1).toBe(true)
  })

  test('row 28, CVE-2025-32379: nothing is ever redirected', async () => {
    const site = await openWhole()
    for (const target of [
      '//evil.example/comet',
      '/comet//evil.example',
      '/comet/register/..',
      '/comet/',
      '/comet?next=//evil.example',
    ]) {
      const request = `GET ${target} HTTP/1.1\r\nHost: x\r\nReferer: //evil.example\r\n\r\n`
      const { status, headers } = await rawExchange(site.port, request)
      expect([status >= 300 && status < 400, headers.location]).toEqual([false, undefined])
    }
  })

  test('row 29, CVE-2026-27959: the host of a request is compared as it is, not as a part that parses', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const own = `Comet-Token: ${privateToken}\r\nPrefer: wait=0\r\n`
    for (const host of [
      'evil.example:x@shop.example',
      'evil.example#@shop.example',
      'evil.example/shop.example',
    ]) {
      const request = `GET /comet HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://evil.example\r\n${own}\r\n`
      expect((await rawExchange(site.port, request)).status).toBe(403)
    }
  })
})
