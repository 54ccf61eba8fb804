import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import type { EventBlock } from '../../lib/transports/event-stream-format.ts'
import { anyCharacter } from '../support/any-character.ts'

/** What a block comes to, once it has been read. */
export interface ReadBlocks {
  readonly events: readonly { readonly id: string | undefined; readonly data: string }[]
  readonly retries: readonly number[]
  readonly comments: readonly string[]
  readonly errors: readonly string[]
}

/** Texts of all code points, and of those that a format of lines may stumble over. */
const texts = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('\r', '\n', '\r\n', '\0', '\u2028', '\u2029', '\u0085', ' ', ':', 'x') }),
  // Halves of surrogate pairs among them.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', ' ', '  x', '\ufeff', '\ufeffx', 'data: x', 'id: 1\n\n', '\r\r', '\n', 'x\n', '\ud800'),
  fc.nat({ max: 200 }).map((length) => 'ä\r\n'.repeat(length)),
)

/** Blocks of any fields. */
export const eventBlocks: fc.Arbitrary<EventBlock[]> = fc.array(
  fc.record(
    { comment: texts, retryMs: fc.nat({ max: 2 ** 31 - 1 }), id: texts, data: texts },
    { requiredKeys: [] },
  ),
  { minLength: 1, maxLength: 10 },
)

/** What the fields hold, as far as the format can say it: no half of a pair, and one kind of line end. */
export function expectedOf(blocks: readonly EventBlock[]): ReadBlocks {
  return {
    events: blocks.flatMap(({ id, data }) =>
      data === undefined ? [] : { id: id === undefined ? undefined : idOf(id), data: linesOf(data) },
    ),
    retries: blocks.flatMap(({ retryMs }) => retryMs ?? []),
    comments: blocks.flatMap(({ comment }) => (comment === undefined ? [] : linesOf(comment).split('\n'))),
    errors: [],
  }
}

/** An id as a reader has it. */
export function idOf(id: string): string {
  return utf8(id).replace(/[\r\n\0]/g, '')
}

export function linesOf(text: string): string {
  return utf8(text).replace(/\r\n?/g, '\n')
}

/** Reads a stream of bytes that arrive in pieces, by a parser that is not ours. */
export function readByParser(text: string, pieceBytes = Number.POSITIVE_INFINITY): ReadBlocks {
  const events: { id: string | undefined; data: string }[] = []
  const [retries, comments, errors]: [number[], string[], string[]] = [[], [], []]
  const parser = createParser({
    onEvent: ({ id, data }) => events.push({ id, data }),
    onRetry: (retry) => retries.push(retry),
    onComment: (comment) => comments.push(comment),
    onError: ({ message }) => errors.push(message),
  })
  const bytes = Buffer.from(text)
  const decoder = new TextDecoder()
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    parser.feed(decoder.decode(bytes.subarray(at, at + pieceBytes), { stream: true }))
  }
  return { events, retries, comments, errors }
}

function utf8(text: string): string {
  return Buffer.from(text).toString()
}
