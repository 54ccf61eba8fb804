import { describe, expect, test } from '@jest/globals'
import type { MessageLog } from '../../lib/message-log.ts'
import { heapBytes } from '../support/heap.ts'
import { AMPLE, at, idsOf, logOf, messageEntry, NO_LIMIT, readerOf } from '../support/log-entries.ts'

function retainedIds(log: MessageLog): number[] {
  return [...log.entriesAfter(log.trimmedThrough)].map(({ id }) => id)
}

describe('Trimming', () => {
  test('what is older than the retention’s seconds goes', () => {
    let nowMs = 0
    const log = logOf([], { retention: { ...AMPLE, seconds: 10 }, now: () => nowMs })
    log.apply(messageEntry(1))
    nowMs = 4000
    log.apply(messageEntry(2))
    nowMs = 9999
    log.trim()
    expect(retainedIds(log)).toEqual([1, 2])
    nowMs = 10_000
    log.trim()
    expect([retainedIds(log), log.trimmedThrough]).toEqual([[2], 1])
    nowMs = 14_000
    log.trim()
    expect([retainedIds(log), log.trimmedThrough, log.head]).toEqual([[], 2, 2])
  })

  test('what is over the retention’s number of messages goes, oldest first', () => {
    const log = logOf([1, 2, 3, 4, 5], { retention: { ...AMPLE, messages: 3 } })
    expect([retainedIds(log), log.trimmedThrough, log.messageCount]).toEqual([[3, 4, 5], 2, 3])
  })

  test('what is over the retention’s bytes goes, but never the newest', () => {
    const { bytes } = logOf([1])
    const log = logOf([1, 2, 3, 4, 5], { retention: { ...AMPLE, bytes: bytes * 2 } })
    expect([retainedIds(log), log.bytes]).toEqual([[4, 5], bytes * 2])
    log.apply(messageEntry(6, ['*'], { contents: JSON.stringify('x'.repeat(10_000)) }))
    expect(retainedIds(log)).toEqual([6])
  })

  test('what went is found under no topic any more, and nothing of it stays counted', () => {
    let nowMs = 0
    const log = logOf([], { retention: { ...AMPLE, seconds: 1 }, now: () => nowMs })
    for (let id = 1; id <= 5000; id++) log.apply(messageEntry(id, ['*', `c:${id % 7}`]))
    nowMs = 1000
    log.trim()
    expect([log.messageCount, log.bytes, log.trimmedThrough]).toEqual([0, 0, 5000])
    log.apply(messageEntry(5001, ['c:1']))
    expect(idsOf(log.read(readerOf(['*', 'c:1']), at(5000), NO_LIMIT))).toEqual([5001])
  })

  test('a reader that has been quiet for longer than the retention is resumed when nothing came', () => {
    let nowMs = 0
    const log = logOf([1, 2], { retention: { ...AMPLE, seconds: 1 }, now: () => nowMs })
    nowMs = 3_600_000
    log.trim()
    expect(log.trimmedThrough).toBe(2)
    expect(log.read(readerOf(), at(2), NO_LIMIT)).toEqual({ messages: [], through: 2 })
    log.apply(messageEntry(3))
    const read = log.read(readerOf(), at(2), NO_LIMIT)
    expect([idsOf(read), read.reset]).toEqual([[3], undefined])
  })
})

describe('Resets', () => {
  test('a cursor at or above what was trimmed is resumed, one below is told so', () => {
    const log = logOf([3, 4], { trimmedThrough: 2 })
    expect(log.read(readerOf(), at(2), NO_LIMIT)).not.toHaveProperty('reset')
    const read = log.read(readerOf(), at(1), NO_LIMIT)
    expect(read.reset).toEqual({ reason: 'trimmed', messageId: 2 })
    expect([idsOf(read), read.through]).toEqual([[3, 4], 4])
  })

  test('a reader whose floor is above what was trimmed has lost nothing, whatever its cursor', () => {
    const log = logOf([3, 4], { trimmedThrough: 2 })
    expect(log.read(readerOf(['*'], { floor: 3 }), at(0), NO_LIMIT)).not.toHaveProperty('reset')
  })

  test('a cursor of another life of the log is told so, and what is retained follows', () => {
    const log = logOf([3, 4], { trimmedThrough: 2 })
    for (const messageId of [0, 3, 4, 99]) {
      const read = log.read(readerOf(), at(messageId, 'e0'), NO_LIMIT)
      expect(read.reset).toEqual({ reason: 'epoch', messageId: 2 })
      expect([idsOf(read), read.through]).toEqual([[3, 4], 4])
    }
  })

  test('a cursor that the log has not reached is of another life', () => {
    const read = logOf([1, 2]).read(readerOf(), at(3), NO_LIMIT)
    expect(read.reset).toEqual({ reason: 'epoch', messageId: 0 })
  })

  test('the position of a reset is never below the reader’s floor', () => {
    const read = logOf([1, 2, 3, 4]).read(readerOf(['*'], { floor: 3 }), at(1, 'e0'), NO_LIMIT)
    expect(read.reset).toEqual({ reason: 'epoch', messageId: 3 })
    expect(idsOf(read)).toEqual([4])
  })

  test('through is never beyond what was applied, whatever the cursor', () => {
    const log = logOf([1, 2])
    for (const cursor of [at(0), at(2), at(1, 'e0'), at(99)]) {
      expect(log.read(readerOf(), cursor, NO_LIMIT).through).toBe(2)
    }
  })

  test('a cut answer that begins with a reset goes on behind its last message', () => {
    const log = logOf([1, 2, 3])
    const first = log.read(readerOf(), at(9, 'e0'), 1)
    expect([idsOf(first), first.through, first.reset?.reason]).toEqual([[1], 1, 'epoch'])
    const second = log.read(readerOf(), at(first.through), NO_LIMIT)
    expect([idsOf(second), second.reset]).toEqual([[2, 3], undefined])
  })

  test('a new life forgets all of the old one', () => {
    const log = logOf([1, 2, 3])
    log.reset({ epoch: 'e2', entries: [messageEntry(11)], head: 12, trimmedThrough: 10 })
    expect([log.epoch, log.head, log.trimmedThrough, log.messageCount]).toEqual(['e2', 12, 10, 1])
    const read = log.read(readerOf(), at(3), NO_LIMIT)
    expect(read.reset).toEqual({ reason: 'epoch', messageId: 10 })
    expect([idsOf(read), read.through]).toEqual([[11], 12])
    expect(() => log.apply(messageEntry(12))).toThrow(RangeError)
  })
})

describe('What went is not in memory any more', () => {
  const RETAINED_BYTES = 1_200_000
  const SENT_BYTES = 40_000_000

  /** How much the heap grows by a window of 1.2 MB through which 40 MB go, in so many messages. */
  function growthBy(messages: number, topicOf: (id: number) => string): number {
    const log = logOf([], { retention: { ...AMPLE, bytes: RETAINED_BYTES } })
    const before = heapBytes()
    for (let id = 1; id <= messages; id++) {
      const text = Buffer.alloc(SENT_BYTES / messages, 97 + (id % 26)).toString('latin1')
      log.apply(messageEntry(id, [topicOf(id)], { contents: JSON.stringify(text) }))
    }
    const growth = heapBytes() - before
    expect(log.bytes).toBeLessThanOrEqual(RETAINED_BYTES)
    return growth
  }

  test('of messages to everybody', () => {
    expect(growthBy(40, () => '*')).toBeLessThan(SENT_BYTES / 4)
  })

  test('of messages to clients who always have some retained', () => {
    expect(growthBy(640, (id) => `c:${id % 10}`)).toBeLessThan(SENT_BYTES / 4)
  })
})
