import fc, { type Arbitrary, toStringMethod } from 'fast-check'
import { bodyOf, framed, framingHeaders, WORDS } from './hostile-bodies.ts'

/** What a request may be made of that the channel knows: so that hostile ones come further than the first check. */
export interface Known {
  readonly privateToken: string
  readonly cursor: string
}

/** The bytes of one HTTP/1 request that asks for its connection to be closed. */
export interface HostileRequest {
  readonly bytes: Buffer
  /** Whether its framing is whole, so that its sender may wait for an answer. */
  readonly isWhole: boolean
  /** For the report of a failure. */
  [toStringMethod](): string
}

const NASTY = [
  '',
  ' ',
  '../../etc/passwd',
  '%00',
  '%E0%A4%A',
  "'--",
  '<script>',
  '\u0085',
  'ä😀',
  '\x7f',
  'a,b;c=d',
  '"',
  '\\',
]

const METHODS = [
  'GET',
  'POST',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'M-SEARCH',
  'get',
  'BREW',
  '',
]
const PATHS = ['/comet', '/comet/register', '/comet/goodbye', '/comet/client.js', '/comet/client.global.js']
const TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-7',
  'application/vnd.api+json',
  'multipart/form-data; boundary=x',
  'text/plain',
  '*/*',
  'x',
]
const HEADERS = [
  'Comet-Token',
  'Authorization',
  'Comet-Page',
  'Last-Event-ID',
  'Prefer',
  'Accept',
  'Origin',
  'Sec-Fetch-Site',
  'Cookie',
  'Upgrade',
  'Content-Encoding',
  'Expect',
  'X-Forwarded-Host',
  'X-HTTP-Method-Override',
  'If-None-Match',
  'Range',
  ...WORDS,
]

/** Also half a surrogate pair. The unit `binary` of fast-check takes a second to set up. */
const anyCharacter = fc.nat({ max: 0x10ffff }).map((point) => String.fromCodePoint(point))

/** Any text that may stand in one line, and some that must not. */
const piece: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...WORDS, ...NASTY),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: anyCharacter, maxLength: 20 }),
  fc.integer().map(String),
  fc.nat({ max: 9000 }).map((length) => 'A'.repeat(length)),
)

export function hostileRequest(known: Known): Arbitrary<HostileRequest> {
  const value = fc.oneof(
    {
      weight: 2,
      arbitrary: fc.constantFrom(known.privateToken, `Bearer ${known.privateToken}`, known.cursor),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'page-1',
        'page-1;new',
        'wait=1',
        'application/json',
        'same-origin',
        'gzip',
        'websocket',
        '100-continue',
      ),
    },
    { weight: 4, arbitrary: piece },
    { weight: 1, arbitrary: piece.map((text) => known.cursor.replace(/\d+$/, text)) },
  )
  const header = fc.tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...HEADERS) }, { weight: 1, arbitrary: piece }),
    value,
  )
  const path = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...PATHS) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(...PATHS), piece).map(([at, more]) => `${at}?privateToken=${more}`),
    },
    { weight: 1, arbitrary: piece.map((text) => `/comet/${text}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '*',
        '//comet',
        'http://x/comet',
        '/comet/../comet',
        '/COMET',
        '/comet#x',
        'comet',
      ),
    },
  )
  return fc
    .record({
      method: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('GET', 'POST') },
        { weight: 2, arbitrary: fc.constantFrom(...METHODS) },
      ),
      path,
      headers: fc.array(header, { maxLength: 6 }),
      hasToken: fc.boolean(),
      body: fc.option(bodyOf(value), { nil: undefined }),
      type: fc.constantFrom(...TYPES),
      framing: fc.constantFrom('exact', 'exact', 'exact', 'chunked', 'short', 'twice'),
    })
    .map(({ method, path: target, headers, hasToken, body, type, framing }): HostileRequest => {
      // A poll that turns out to be in order is not held.
      const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', 'Prefer: wait=0']
      if (hasToken) lines.push(`Comet-Token: ${known.privateToken}`)
      for (const [name, text] of headers) lines.push(`${name}: ${text}`)
      if (body) lines.push(`Content-Type: ${type}`, ...framingHeaders(framing, body))
      const rest = body ? framed(framing, body) : Buffer.alloc(0)
      const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
      const isWhole = framing === 'exact' || framing === 'chunked' || body === undefined
      const text = JSON.stringify(`${head}${rest.toString('latin1')}`).slice(0, 2000)
      return { bytes: Buffer.concat([head, rest]), isWhole, [toStringMethod]: () => text }
    })
}
