import { expect, test } from '@jest/globals'
import { HoldLimit } from '../../client/hold-limit.ts'

test('one cut of a held poll asks for nothing yet', () => {
  const limit = new HoldLimit()
  expect(limit.cut(20_000)).toBe(true)
  expect(limit.seconds).toBeUndefined()
})

test('the second in a row asks for four fifths of the shorter time, in whole seconds, and further cuts for less', () => {
  const limit = new HoldLimit()
  limit.cut(20_000)
  limit.cut(19_000)
  expect(limit.seconds).toBe(15)
  limit.cut(14_000)
  expect(limit.seconds).toBe(11)
})

test('never less than 5 s is asked for', () => {
  const limit = new HoldLimit()
  limit.cut(5100)
  limit.cut(5100)
  expect(limit.seconds).toBe(5)
})

test('a poll that was not held for more than 5 s says nothing', () => {
  const limit = new HoldLimit()
  limit.cut(20_000)
  expect(limit.cut(5000)).toBe(false)
  expect(limit.seconds).toBeUndefined()
})

test('an answer between two cuts: they were not in a row; what was found out stays', () => {
  const limit = new HoldLimit()
  limit.cut(20_000)
  limit.answered()
  limit.cut(20_000)
  expect(limit.seconds).toBeUndefined()
  limit.cut(20_000)
  limit.answered()
  expect(limit.seconds).toBe(16)
})
