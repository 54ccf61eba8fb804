import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { StreamFrame } from '../../lib/subscribe/stream-frame.ts'
import { formatBlock } from '../../lib/transports/event-stream-format.ts'
import { MessageBlocks } from '../../lib/transports/message-blocks.ts'
import { messageEntry } from '../support/log-entries.ts'
import { printedSeed } from '../support/seed.ts'

const anyText = fc.oneof(
  fc.string({ minLength: 1, maxLength: 300 }),
  fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }),
  // Where the size has one digit more, in characters or in bytes.
  fc.integer({ min: 1, max: 300 }).map((length) => `ü${'x'.repeat(length)}`),
)

test('A frame is one chunk of the text’s bytes, however many characters they are', () => {
  const isOneChunk = fc.property(anyText, (text) => {
    const frame = new StreamFrame(text)
    const size = `${Buffer.byteLength(text).toString(16)}\r\n`
    expect(frame.chunk).toEqual(Buffer.from(`${size}${text}\r\n`))
    expect(frame.bytes).toEqual(Buffer.from(text))
  })
  fc.assert(isOneChunk, { seed: printedSeed('stream frames'), numRuns: 2000 })
})

test('Messages are the blocks that any block is, also in a life of the log with line ends in its name', () => {
  const blocks = new MessageBlocks()
  const lines = fc.string({ maxLength: 8, unit: fc.constantFrom('a', ':', ' ', '\r', '\n', '\0') })
  const message = fc.record({ id: fc.nat(), name: fc.string(), contents: fc.oneof(fc.json(), lines) })
  const areBlocks = fc.property(fc.array(message, { maxLength: 4 }), lines, (sent, epoch) => {
    const entries = sent.map(({ id, ...rest }) => messageEntry(id, ['*'], rest))
    const expected = sent.map(({ id, name, contents }) =>
      formatBlock({
        id: `${epoch}:${id}`,
        data: `{"mid":${id},"n":${JSON.stringify(name)},"c":${contents}}`,
      }),
    )
    expect(blocks.of(entries, epoch)).toBe(expected.join(''))
  })
  fc.assert(areBlocks, { seed: printedSeed('message blocks'), numRuns: 2000 })
})
