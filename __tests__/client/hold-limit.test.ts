import { expect, test } from '@jest/globals'
import { HoldLimit } from '../../client/hold-limit.ts'

test('one cut of a held request asks for nothing yet', () => {
  const limit = new HoldLimit()
  expect(limit.onCut(20_000)).toBe(true)
  expect(limit.holdSeconds).toBeUndefined()
})

test('the second in a row, after about the same time, asks for four fifths of it, in whole seconds, and later ones for less', () => {
  const limit = new HoldLimit()
  limit.onCut(20_000)
  limit.onCut(19_000)
  expect(limit.holdSeconds).toBe(15)
  limit.onCut(14_000)
  expect(limit.holdSeconds).toBe(15)
  limit.onCut(14_500)
  expect(limit.holdSeconds).toBe(11)
})

test('cuts after other times are no clock of a proxy: a server that crashed, and crashed again', () => {
  const limit = new HoldLimit()
  for (const seconds of [500, 7, 60, 30, 300]) expect(limit.onCut(seconds * 1000)).toBe(true)
  expect(limit.holdSeconds).toBeUndefined()
})

test('never less than 5 s is asked for', () => {
  const limit = new HoldLimit()
  limit.onCut(5100)
  limit.onCut(5100)
  expect(limit.holdSeconds).toBe(5)
})

test('a request that was not held for more than 5 s says nothing', () => {
  const limit = new HoldLimit()
  limit.onCut(20_000)
  expect(limit.onCut(5000)).toBe(false)
  expect(limit.holdSeconds).toBeUndefined()
})

test('an answer between two cuts: they were not in a row; what was found out stays', () => {
  const limit = new HoldLimit()
  limit.onCut(20_000)
  limit.onAnswered()
  limit.onCut(20_000)
  expect(limit.holdSeconds).toBeUndefined()
  limit.onCut(20_000)
  limit.onAnswered()
  expect(limit.holdSeconds).toBe(16)
})
