import { describe, expect, test } from '@jest/globals'
import { array, assert, constantFrom, nat, property, string } from 'fast-check'
import { createEventStreamParser, type StreamBlock } from '../../client/event-stream-parser.ts'
import { anyCharacter } from '../support/any-character.ts'

/** The blocks of a text that comes in pieces of so many bytes, one after the other; the last size is used on. */
function parse(
  text: string | Uint8Array,
  sizes: readonly number[] = [Number.MAX_SAFE_INTEGER],
): StreamBlock[] {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const parser = createEventStreamParser()
  const blocks: StreamBlock[] = []
  let from = 0
  for (let index = 0; from < bytes.length; index += 1) {
    const size = sizes[Math.min(index, sizes.length - 1)]!
    blocks.push(...parser(bytes.subarray(from, from + size)))
    from += size
  }
  return blocks
}

/** Names, values and line ends that are easily mistaken. */
const VECTORS: [string, string, StreamBlock[]][] = [
  ['one line of data', 'data: one\n\n', [{ data: 'one' }]],
  ['lines that end in CR', 'data: one\rid: 1\r\r', [{ data: 'one', id: '1' }]],
  ['lines that end in CRLF', 'data: one\r\nid: 1\r\n\r\n', [{ data: 'one', id: '1' }]],
  [
    'all line ends mixed',
    'data: a\r\rdata: b\n\ndata: c\r\n\ndata: d\n\r',
    ['a', 'b', 'c', 'd'].map((data) => ({ data })),
  ],
  ['several lines of data', 'data: one\ndata: two\ndata:\ndata: four\n\n', [{ data: 'one\ntwo\n\nfour' }]],
  [
    'one space after the colon is no part of the value',
    'data:one\n\ndata:  two\n\n',
    [{ data: 'one' }, { data: ' two' }],
  ],
  ['colons in the value', 'data: a:b: c\n\n', [{ data: 'a:b: c' }]],
  ['a name without a colon', 'data\n\nid\n\n', [{ data: '' }, { id: '' }]],
  ['comments', ': padding\n:\ndata: one\n:x\n\n', [{ data: 'one' }]],
  ['comments alone are no block', ': alone\n\n:\n\n\n\ndata: one\n\n', [{ data: 'one' }]],
  ['a byte order mark at the beginning', '\ufeffdata: one\n\n', [{ data: 'one' }]],
  ['only the first byte order mark', '\ufeff\ufeffdata: one\n\n', [{ '\ufeffdata': 'one' }]],
  ['a byte order mark later is content', 'data: \ufeffone\n\n', [{ data: '\ufeffone' }]],
  ['an id alone: a keep-alive', 'id: e1:17\n\n', [{ id: 'e1:17' }]],
  ['a time alone: the end', 'retry: 250\n\n', [{ retry: '250' }]],
  ['the last of several ids', 'id: 1\nid: 2\ndata: x\n\n', [{ id: '2', data: 'x' }]],
  [
    'names are not trimmed, and case matters',
    ' data: no\nData: no\ndata: yes\n\n',
    [{ ' data': 'no', Data: 'no', data: 'yes' }],
  ],
  ['what the stream ends amid is none', 'data: one\n\ndata: two\n', [{ data: 'one' }]],
  ['characters of two, three and four bytes', 'data: ü€😀\n\n', [{ data: 'ü€😀' }]],
  [
    'separators of lines in other languages are content',
    'data: a\u2028b\u0085c\v\n\n',
    [{ data: 'a\u2028b\u0085c\v' }],
  ],
  ['an empty stream', '', []],
]

describe('the parser of event streams', () => {
  test.each(VECTORS)('reads %s', (_what, text, blocks) => {
    expect(parse(text)).toEqual(blocks)
  })

  test.each(VECTORS)('reads %s, byte for byte', (_what, text, blocks) => {
    expect(parse(text, [1])).toEqual(blocks)
  })

  test('reads the same wherever the pieces are cut, empty pieces among them', () => {
    const line = constantFrom('data: ü', 'data', 'data:  b', 'id: e1:3', 'retry: 5', ':c', 'x', '€😀', '')
    const ends = constantFrom('\n', '\r', '\r\n')
    assert(
      property(
        array(line, { maxLength: 12 }),
        array(ends, { minLength: 1 }),
        array(nat(9), { minLength: 1 }),
        (lines, ends, sizes) => {
          const whole = lines.map((each, index) => each + ends[index % ends.length]).join('')
          expect(parse(whole, [...sizes, 1])).toEqual(parse(whole))
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('reads whatever it is given without a throw', () => {
    assert(
      property(string({ unit: anyCharacter }), (text) => void parse(text, [3])),
      { numRuns: 500 },
    )
  })

  test('gives a block at once when its last line end is a CR', () => {
    const parser = createEventStreamParser()
    const encode = (text: string) => new TextEncoder().encode(text)
    expect(parser(encode('data: one\r\r'))).toEqual([{ data: 'one' }])
    expect(parser(encode('\ndata: two\r\r'))).toEqual([{ data: 'two' }])
  })

  test.each([
    ['a line', 'x'],
    ['a block of many lines', 'data: 0123456789\n'],
  ])('gives up %s that has no end', (_what, piece) => {
    const parser = createEventStreamParser()
    const bytes = new TextEncoder().encode(piece.repeat(65_536 / piece.length))
    const feed = () => {
      for (let fed = 0; fed < 9 * 1024 * 1024; fed += bytes.length) parser(bytes)
    }
    expect(feed).toThrow(expect.objectContaining({ code: 'COMET_ANSWER_IS_INVALID', willRetry: true }))
  })

  test('reads more than that in blocks that have an end', () => {
    const parser = createEventStreamParser()
    const bytes = new TextEncoder().encode(`data: ${'x'.repeat(65_536)}\n\n`)
    let blocks = 0
    for (let times = 0; times < 200; times += 1) blocks += parser(bytes).length
    expect(blocks).toBe(200)
  })
})
