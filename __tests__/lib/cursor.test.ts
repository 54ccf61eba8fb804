import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { FOREIGN_CURSOR, formatCursor, parseCursor } from '../../lib/cursor.ts'

test('What is formatted is read back as it was', () => {
  const cursor = fc.record({
    epoch: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
    messageId: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  })
  fc.assert(fc.property(cursor, (each) => expect(parseCursor(formatCursor(each))).toEqual(each)))
})

test.each([
  ['no text', ''],
  ['no colon', 'epoch42'],
  ['no epoch', ':42'],
  ['no id', 'epoch:'],
  ['a negative id', 'epoch:-1'],
  ['a fraction', 'epoch:1.5'],
  ['an exponent', 'epoch:1e3'],
  ['an id beyond the safe integers', `epoch:${Number.MAX_SAFE_INTEGER + 1}`],
  ['a huge id', `epoch:${'9'.repeat(400)}`],
  ['a long epoch', `${'e'.repeat(65)}:1`],
  ['a megabyte', `${'e'.repeat(1_000_000)}:1`],
  ['a path', '../../etc/passwd:1'],
  ['a NUL', 'epo\0ch:1'],
  ['a line end', 'epoch:1\n'],
  ['two colons', 'epoch:1:2'],
  ['a space', 'epoch: 1'],
  ['a number that is no digit', 'epoch:١'],
  ['NaN', 'epoch:NaN'],
])('Row 43: %s is a cursor of no log', (_, text) => {
  expect(parseCursor(text)).toBe(FOREIGN_CURSOR)
})

/** Also half a surrogate pair. The unit `binary` of fast-check takes a second to set up. */
const anyCharacter = fc.nat({ max: 0x10ffff }).map((point) => String.fromCodePoint(point))

test('Whatever text is read, it is a cursor with an id that can be compared', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const { epoch, messageId } = parseCursor(text)
      expect(Number.isSafeInteger(messageId) && messageId >= 0 && epoch.length <= 64).toBe(true)
    }),
  )
})

test('The foreign cursor cannot be changed', () => {
  expect(Object.isFrozen(FOREIGN_CURSOR)).toBe(true)
})
