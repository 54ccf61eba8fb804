import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { setTimelyTimeout } from '../../client/timely.ts'

beforeEach(() => {
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

test.each([
  ['calls on time', 0, 1],
  ['calls a little late: in a hidden tab', 4900, 1],
  ['does not call a minute late: in a tab that was hidden for long', 60_000, 0],
  ['does not call after a night of sleep', 8 * 3_600_000, 0],
])('a timely timer %s', (_what, lateMs, calls) => {
  const call = jest.fn()
  setTimelyTimeout(call, 20_000)
  jest.setSystemTime(Date.now() + lateMs)
  jest.advanceTimersByTime(20_000)
  expect(call).toHaveBeenCalledTimes(calls)
})
