import fc, { type Arbitrary } from 'fast-check'

/** Names that mean something in JavaScript, and values that are nearly numbers. */
export const WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e400',
]

/** A body that is nearly one: a form, JSON, or neither. */
export function bodyOf(value: Arbitrary<string>): Arbitrary<Buffer> {
  const name = fc.constantFrom(
    'privateToken',
    'lastMessageId',
    'epoch',
    'page',
    'privateToken[]',
    'a.b.c',
    'x[__proto__][y]',
    ...WORDS,
  )
  const form = fc.array(fc.tuple(name, value), { maxLength: 6 })
  return fc.oneof(
    form.map((fields) => Buffer.from(fields.map(([key, text]) => `${key}=${text}`).join('&'))),
    form.map((fields) => Buffer.from(new URLSearchParams(fields).toString())),
    form.map((fields) =>
      Buffer.from(`{${fields.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`)}}`),
    ),
    fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
    fc.dictionary(name, fc.anything({ maxDepth: 2 })).map((fields) => Buffer.from(jsonOf(fields))),
    fc.nat({ max: 3000 }).map((depth) => Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`)),
    fc.nat({ max: 400 }).map((depth) => Buffer.from(`privateToken${'[a]'.repeat(depth)}=1`)),
    fc.json().map((text) => Buffer.from(`\ufeff${text}`)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 4000, max: 30_000 }).map((length) => Buffer.alloc(length, 'a=b&')),
  )
}

/** Not all that there is can be JSON. */
function jsonOf(anything: unknown): string {
  try {
    return JSON.stringify(anything)
  } catch {
    return '{'
  }
}

/** The headers that say where a body ends; for some framings they lie. */
export function framingHeaders(framing: string, body: Buffer): string[] {
  if (framing === 'chunked') return ['Transfer-Encoding: chunked']
  if (framing === 'short') return [`Content-Length: ${body.length + 10}`]
  const length = `Content-Length: ${body.length}`
  return framing === 'twice' ? [length, 'Transfer-Encoding: chunked'] : [length]
}

/** The body as it goes over the wire. */
export function framed(framing: string, body: Buffer): Buffer {
  if (framing !== 'chunked') return body
  const end = Buffer.from('0\r\n\r\n')
  if (body.length === 0) return end
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n'), end])
}
