import { describe, expect, test } from '@jest/globals'
import { MessageLog } from '../../lib/message-log.ts'
import { AMPLE, at, idsOf, logOf, messageEntry, NO_LIMIT, readerOf } from '../support/log-entries.ts'

describe('One append-only log', () => {
  test('a message to everybody, to a group of many or to one client is one entry', () => {
    const log = logOf([])
    for (const [index, topic] of ['*', 'g:room', 'c:ann'].entries())
      log.apply(messageEntry(index + 1, [topic]))
    expect(log.messageCount).toBe(3)
    expect(log.head).toBe(3)
  })

  test('ids rise, with gaps; one that does not rise is refused and changes nothing', () => {
    const log = logOf([5, 9])
    for (const id of [9, 8, 1]) expect(() => log.apply(messageEntry(id))).toThrow(RangeError)
    expect(idsOf(log.read(readerOf(), at(0), NO_LIMIT))).toEqual([5, 9])
    expect(log.head).toBe(9)
  })

  test('entries that are no messages move the head and reach nobody', () => {
    const log = logOf([1])
    log.apply({ kind: 'initialise', id: 2, publicToken: 'ann' })
    log.apply({ kind: 'remove', id: 3, publicToken: 'ann', generation: 2 })
    log.apply({ kind: 'stop', id: 4, topics: ['*'], except: [] })
    const read = log.read(readerOf(), at(1), NO_LIMIT)
    expect(read).toEqual({ messages: [], through: 4 })
    expect(log.messageCount).toBe(1)
  })

  test('the entries after an id are all of them, in order, of whatever kind', () => {
    const log = logOf([1, 2])
    log.apply({ kind: 'stop', id: 4, topics: [], except: [] })
    expect([...log.entriesAfter(1)].map(({ id }) => id)).toEqual([2, 4])
    expect([...log.entriesAfter(3)].map(({ id }) => id)).toEqual([4])
    expect([...log.entriesAfter(4)]).toEqual([])
  })
})

describe('Addresses', () => {
  test('a reader gets what its topics address, and nothing else', () => {
    const log = logOf([])
    for (const [index, topic] of ['*', 'c:ann', 'c:bob', 'g:room'].entries())
      log.apply(messageEntry(index + 1, [topic]))
    expect(idsOf(log.read(readerOf(['*', 'c:ann']), at(0), NO_LIMIT))).toEqual([1, 2])
    expect(idsOf(log.read(readerOf(['*', 'c:bob']), at(0), NO_LIMIT))).toEqual([1, 3])
  })

  test('a message with several of a reader’s topics comes once', () => {
    const log = logOf([])
    log.apply(messageEntry(1, ['c:ann', 'g:room', '*']))
    log.apply(messageEntry(2, ['g:room', 'c:ann']))
    expect(idsOf(log.read(readerOf(['*', 'c:ann', 'g:room']), at(0), NO_LIMIT))).toEqual([1, 2])
  })

  test('messages of several topics come in the order of their ids', () => {
    const log = logOf([])
    const topics = ['c:ann', '*', 'g:room', '*', 'c:ann', 'g:room']
    for (const [index, topic] of topics.entries()) log.apply(messageEntry(index + 1, [topic]))
    expect(idsOf(log.read(readerOf(['g:room', '*', 'c:ann']), at(0), NO_LIMIT))).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('who is named in except does not get it, and its cursor passes it', () => {
    const log = logOf([])
    log.apply(messageEntry(1, ['*'], { except: ['ann', 'eve'] }))
    expect(log.read(readerOf(), at(0), NO_LIMIT)).toEqual({ messages: [], through: 1 })
    expect(idsOf(log.read(readerOf(['*'], { publicToken: 'bob' }), at(0), NO_LIMIT))).toEqual([1])
  })

  test('groups, users and sessions are topics like any other', () => {
    const log = logOf([])
    const topics = ['g:room', 'u:7', 's:a-session', 'g:other']
    for (const [index, topic] of topics.entries()) log.apply(messageEntry(index + 1, [topic]))
    expect(idsOf(log.read(readerOf(['g:room', 'u:7', 's:a-session']), at(0), NO_LIMIT))).toEqual([1, 2, 3])
  })

  test('membership is an interval: above its beginning, below its end, whoever reads late', () => {
    const log = logOf([])
    for (let id = 1; id <= 10; id++) log.apply(messageEntry(id, ['g:room']))
    const once = readerOf([{ topic: 'g:room', after: 3, before: 6 }])
    expect(idsOf(log.read(once, at(0), NO_LIMIT))).toEqual([4, 5])
    const twice = readerOf([
      { topic: 'g:room', after: 1, before: 3 },
      { topic: 'g:room', after: 8 },
    ])
    expect(idsOf(log.read(twice, at(0), NO_LIMIT))).toEqual([2, 9, 10])
  })
})

describe('A broadcast', () => {
  test('is read once, for all who wait for nothing else, wherever in the quiet before it they are', () => {
    const log = logOf([1, 5, 6])
    const first = log.read(readerOf(['*', 'c:ann']), at(1), NO_LIMIT)
    expect(log.read(readerOf(['*', 'c:bob']), at(3), NO_LIMIT)).toBe(first)
    expect(log.read(readerOf(['*', 'c:bob']), at(5), NO_LIMIT)).not.toBe(first)
  })

  test('is read anew for other limits, when more has come, and in another life', () => {
    const log = logOf([1, 2])
    const first = log.read(readerOf(['*']), at(0), NO_LIMIT)
    expect(log.read(readerOf(['*']), at(0), 1).messages).toHaveLength(1)
    log.apply(messageEntry(3))
    expect(log.read(readerOf(['*']), at(0), NO_LIMIT).messages).toHaveLength(3)
    log.reset({ epoch: 'e2', entries: [messageEntry(1)], head: 1, trimmedThrough: 0 })
    const { messages } = log.read(readerOf(['*']), { epoch: 'e2', messageId: 0 }, NO_LIMIT)
    expect([messages.length, first.messages.length]).toEqual([1, 2])
  })

  test('with an exception is read for each', () => {
    const log = logOf([1])
    log.apply(messageEntry(2, ['*'], { except: ['ann'] }))
    const read = (publicToken: string) =>
      log.read({ ...readerOf(['*']), publicToken }, at(0), NO_LIMIT).messages.map(({ id }) => id)
    expect([read('ann'), read('bob'), read('ann')]).toEqual([[1], [1, 2], [1]])
  })
})

describe('Where a read begins and ends', () => {
  test('it begins after the cursor', () => {
    expect(idsOf(logOf([1, 2, 3]).read(readerOf(), at(2), NO_LIMIT))).toEqual([3])
  })

  test('it never begins below the reader’s floor, whatever cursor is claimed', () => {
    const log = logOf([1, 2, 3, 4])
    for (const claimed of [0, 1, 2]) {
      expect(idsOf(log.read(readerOf(['*'], { floor: 2 }), at(claimed), NO_LIMIT))).toEqual([3, 4])
    }
  })

  test('it ends below the id of the reader’s removal', () => {
    const log = logOf([1, 2, 3, 4])
    expect(idsOf(log.read(readerOf(['*'], { end: 3 }), at(0), NO_LIMIT))).toEqual([1, 2])
  })

  test('through is the head when nothing is for the reader', () => {
    const log = logOf([1])
    log.apply(messageEntry(2, ['c:bob']))
    log.apply(messageEntry(7, ['c:bob']))
    expect(log.read(readerOf(), at(1), NO_LIMIT)).toEqual({ messages: [], through: 7 })
  })

  test('through is the head, beyond the last message that was for the reader', () => {
    const log = logOf([1])
    log.apply(messageEntry(2, ['c:bob']))
    const read = log.read(readerOf(), at(0), NO_LIMIT)
    expect([idsOf(read), read.through]).toEqual([[1], 2])
  })

  test('a cut answer’s through is its last message, and the next read goes on behind it', () => {
    const log = logOf([1, 2, 3, 4, 5])
    const bytesOfTwo = (log.bytes / 5) * 2
    const first = log.read(readerOf(), at(0), bytesOfTwo)
    expect([idsOf(first), first.through]).toEqual([[1, 2], 2])
    const second = log.read(readerOf(), at(first.through), bytesOfTwo)
    expect([idsOf(second), second.through]).toEqual([[3, 4], 4])
    const third = log.read(readerOf(), at(second.through), bytesOfTwo)
    expect([idsOf(third), third.through]).toEqual([[5], 5])
  })

  test('an answer is never cut below one message', () => {
    const log = logOf([])
    log.apply(messageEntry(1, ['*'], { contents: JSON.stringify('x'.repeat(10_000)) }))
    log.apply(messageEntry(2))
    const read = log.read(readerOf(), at(0), 1)
    expect([idsOf(read), read.through]).toEqual([[1], 1])
  })

  test('bytes are those of UTF-8, not characters', () => {
    const [latin, cyrillic] = [new MessageLog(AMPLE), new MessageLog(AMPLE)]
    latin.apply(messageEntry(1, ['*'], { contents: '"aaaa"' }))
    cyrillic.apply(messageEntry(1, ['*'], { contents: '"щщщщ"' }))
    expect(cyrillic.bytes - latin.bytes).toBe(4)
  })
})
