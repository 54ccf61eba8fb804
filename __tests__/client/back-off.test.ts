import { afterEach, expect, jest, test } from '@jest/globals'
import { backOffMs, LONGEST_TIMER_MS } from '../../client/back-off.ts'
import { fixRandom } from './harness.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

test('the pause is spread evenly between nothing and a limit that doubles from 1 s to 30 s', () => {
  fixRandom(0)
  expect([1, 2, 3, 4, 5, 6, 7, 2000].map((failures) => backOffMs(failures))).toEqual(Array(8).fill(0))
  fixRandom(0.5)
  expect([1, 2, 3, 4, 5, 6, 7, 2000].map((failures) => backOffMs(failures))).toEqual([
    500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
  ])
})

test('two draws differ', () => {
  const draws = Array.from({ length: 20 }, () => backOffMs(5))
  expect(new Set(draws).size).toBeGreaterThan(1)
  for (const ms of draws) expect(ms >= 0 && ms < 16_000).toBe(true)
})

test('what the server asks for is waited for, and up to a second more', () => {
  fixRandom(0)
  expect(backOffMs(9, 7)).toBe(7000)
  fixRandom(0.5)
  expect(backOffMs(1, 7)).toBe(7500)
})

test('is never longer than a timer can wait', () => {
  expect(backOffMs(1, 1e12)).toBe(LONGEST_TIMER_MS)
})
