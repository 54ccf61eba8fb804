import { createContext, Script } from 'node:vm'
import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { type RawAnswer, rawExchange } from './raw-connection.ts'

afterEach(closeSites)

describe.each(['client.js', 'client.global.js'])('GET /comet/%s', (script) => {
  test('serves the bundled client as JavaScript that is revalidated and not sniffed', async () => {
    const { url } = await openSite()
    const response = await fetch(`${url}/${script}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('etag')).toMatch(/^"[\w-]{43}"$/)
    const text = await response.text()
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect(text).toContain('Comet-Page')
  })

  test('is answered 304 and no body to who has it', async () => {
    const { url, port } = await openSite()
    const etag = (await fetch(`${url}/${script}`)).headers.get('etag')!
    // Not by fetch, which adds headers that forbid a 304.
    const revalidate = (match: string): Promise<RawAnswer> =>
      rawExchange(port, `GET /comet/${script} HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${match}\r\n\r\n`)
    for (const match of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, headers, body } = await revalidate(match)
      expect([status, headers.etag, body]).toEqual([304, etag, ''])
    }
    expect((await revalidate('"older"')).status).toBe(200)
  })

  test('answers HEAD with the headers alone', async () => {
    const { url, port } = await openSite()
    const { headers } = await fetch(`${url}/${script}`)
    const request = `HEAD /comet/${script} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
    const head = await rawExchange(port, request).catch((error: Error) => error.message)
    // No body follows, so that the connection closes right after the headers.
    expect(head).toMatch(/^The connection closed after: HTTP\/1\.1 200 OK\r\n/)
    expect(head).toContain(`Content-Length: ${headers.get('content-length')}\r\n`)
    expect(head).toContain(`ETag: ${headers.get('etag')}\r\n`)
    expect(head).toMatch(/\r\n\r\n$/)
  })

  test('may be loaded by a page of any origin, as scripts may', async () => {
    const { url } = await openSite()
    const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.example' }
    const response = await fetch(`${url}/${script}`, { headers })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  })

  test('is left to Koa, which answers 404, when the option clientScript is off', async () => {
    const { url } = await openSite({ options: { clientScript: false } })
    const response = await fetch(`${url}/${script}`)
    expect([response.status, await response.text()]).toEqual([404, 'Not Found'])
  })
})

test('client.js is a module that exports CometChannel', async () => {
  const { url } = await openSite()
  const source = await (await fetch(`${url}/client.js`)).text()
  expect(source).toMatch(/export\s*\{[^}]*\bas CometChannel\b[^}]*\}/)
})

test('client.global.js gives a plain script tag CometChannel, and AspNetComet as its alias', async () => {
  const { url } = await openSite()
  const page = createContext({ URL, Headers, AbortController, EventTarget, Event })
  new Script(await (await fetch(`${url}/client.global.js`)).text()).runInContext(page)
  expect(typeof page.CometChannel).toBe('function')
  expect(page.AspNetComet).toBe(page.CometChannel)
  expect(Object.keys(page).filter((name) => /comet/i.test(name))).toHaveLength(2)
})
