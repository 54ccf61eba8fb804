import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { type RawAnswer, rawExchange } from './raw-connection.ts'

afterEach(closeSites)

const LISTED = 'https://app.example'

/** A poll with these headers, Host included, as they are. */
async function pollWith(
  site: Site,
  headers: Record<string, string>,
  start = 'GET /comet',
): Promise<RawAnswer> {
  const { privateToken } = await site.newClient()
  const lines = Object.entries({ 'Comet-Token': privateToken, Prefer: 'wait=0', ...headers })
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return rawExchange(site.port, `${start} HTTP/1.1\r\n${text}\r\n`)
}

describe('a page of the channel’s own origin is served', () => {
  test.each<Record<string, string>>([
    { Host: 'shop.example', 'Sec-Fetch-Site': 'same-origin' },
    { Host: 'shop.example', 'Sec-Fetch-Site': 'same-origin', Origin: 'https://shop.example' },
    // A proxy may have changed Host: the browser knows better.
    { Host: 'upstream:8080', 'Sec-Fetch-Site': 'same-origin', Origin: 'https://shop.example' },
    // Typed by the user into the address bar.
    { Host: 'shop.example', 'Sec-Fetch-Site': 'none' },
    { Host: 'shop.example', Origin: 'http://shop.example' },
    // TLS ended at a proxy.
    { Host: 'shop.example', Origin: 'https://shop.example' },
    { Host: 'SHOP.example:8080', Origin: 'http://shop.example:8080' },
    // No browser, or none that is at another site: a GET of the own origin has no Origin.
    { Host: 'shop.example' },
  ])('%j', async (headers) => {
    const answer = await pollWith(await openSite(), headers)
    expect(answer.status).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers.vary).toBeUndefined()
  })
})

describe('a page of another origin that is not listed is refused with 403', () => {
  test.each<Record<string, string>>([
    { Host: 'shop.example', 'Sec-Fetch-Site': 'cross-site' },
    { Host: 'shop.example', 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.shop.example' },
    { Host: 'shop.example', 'Sec-Fetch-Site': 'cross-site', Origin: 'https://shop.example' },
    { Host: 'shop.example', 'Sec-Fetch-Site': 'Same-Origin ,cross-site' },
    { Host: 'shop.example', Origin: 'https://evil.example' },
    { Host: 'shop.example', Origin: 'null' },
    { Host: 'null', Origin: 'null' },
    { Host: 'shop.example', Origin: 'http://shop.example.evil.example' },
    { Host: 'shop.example', Origin: 'http://evilshop.example' },
    { Host: 'shop.example', Origin: 'http://shop.example:81' },
    { Host: 'shop.example', Origin: 'shop.example' },
    { Host: 'shop.example', Origin: 'https://app.example.evil.example' },
    { Host: 'shop.example', Origin: `${LISTED}/` },
    { Host: 'shop.example', Origin: LISTED.toUpperCase() },
    { Host: 'shop.example', Origin: `${LISTED}, https://evil.example` },
    // Advisory of row 29: what ctx.hostname makes of such a Host is the attacker's text.
    { Host: 'evil.example:x@shop.example', Origin: 'http://evil.example' },
    { Host: 'shop.example', Origin: 'http://evil.example:x@shop.example.evil' },
    { Host: 'shop.example', Origin: 'http://evil.example\\@shop.example' },
    { Host: 'shop.example', Origin: 'javascript:alert(1)' },
    { Host: 'shop.example', Origin: 'file://' },
    { Host: '', Origin: 'file://' },
    { Host: '', Origin: 'data:,x' },
    { Host: 'a.example, b.example', Origin: 'http://a.example' },
    { Host: 'shop.example', Origin: 'x'.repeat(8000) },
    { Host: 'shop.example', 'X-Forwarded-Host': 'evil.example', Origin: 'http://evil.example' },
  ])('%j', async (headers) => {
    const site = await openSite({ options: { origins: [LISTED] } })
    site.served.app.proxy = true
    const answer = await pollWith(site, headers)
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body)).toMatchObject([{ code: 'COMET_ORIGIN_IS_REFUSED' }])
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
    expect(answer.headers.vary).toBe('Origin')
  })
})

describe('a page of a listed origin', () => {
  const headers = { Host: 'shop.example', Origin: LISTED, 'Sec-Fetch-Site': 'cross-site' }

  test('is served, and its browser is told exactly that origin and which headers it may read', async () => {
    const site = await openSite({ options: { origins: ['https://other.example', LISTED] } })
    const answer = await pollWith(site, headers)
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': LISTED,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Comet-Cursor, Comet-Outcome, Retry-After',
      'timing-allow-origin': LISTED,
      vary: 'Origin',
    })
    expect(answer.headers['comet-cursor']).toBeDefined()
  })

  test('is answered its preflight, for as long as browsers keep one', async () => {
    const site = await openSite({ options: { origins: [LISTED] } })
    const answer = await pollWith(
      site,
      { ...headers, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'comet-token' },
      'OPTIONS /comet',
    )
    expect(answer.status).toBe(204)
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': LISTED,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST',
      'access-control-max-age': '7200',
      vary: 'Origin',
    })
    const allowed = answer.headers['access-control-allow-headers']!.toLowerCase().split(', ')
    expect(allowed).toEqual(
      expect.arrayContaining([
        'authorization',
        'comet-token',
        'comet-page',
        'comet-probe',
        'last-event-id',
        'prefer',
        'content-type',
      ]),
    )
  })

  test('can read its errors too', async () => {
    const site = await openSite({
      options: { origins: [LISTED], identify: () => Promise.reject(new Error('x')) },
    })
    const errors = [
      await pollWith(site, { ...headers, 'Comet-Token': 'nobody-has-this' }),
      await pollWith(site, { ...headers, 'Comet-Token': '' }),
      await pollWith(site, { ...headers, Accept: 'text/html' }),
      await pollWith(site, headers),
      await pollWith(site, { ...headers, 'Content-Type': 'text/plain', 'Content-Length': '0' }, 'PUT /comet'),
    ]
    expect(errors.map(({ status }) => status)).toEqual([401, 401, 406, 500, 405])
    for (const error of errors) {
      expect(error.headers['access-control-allow-origin']).toBe(LISTED)
      expect(error.headers['access-control-expose-headers']).toContain('Retry-After')
      expect(error.headers.vary).toBe('Origin')
    }
  })

  test('can read what it was held for', async () => {
    const site = await openSite({ options: { origins: [LISTED] } })
    const answering = pollWith(site, { ...headers, Prefer: 'wait=20' })
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    expect((await answering).headers).toMatchObject({
      'access-control-allow-origin': LISTED,
      'access-control-expose-headers': 'Comet-Cursor, Comet-Outcome, Retry-After',
      vary: 'Origin',
    })
  })
})

test('a preflight of an origin that is not listed is told nothing that would let its page in', async () => {
  const site = await openSite({ options: { origins: [LISTED] } })
  const answer = await pollWith(
    site,
    { Host: 'shop.example', Origin: 'https://evil.example' },
    'OPTIONS /comet',
  )
  expect(answer.status).toBe(204)
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
})
