import { expect, test } from '@jest/globals'
import { shortRelease } from '../../bench/environment.ts'

test('A release of a system is told without what its makers append', () => {
  expect(shortRelease('6.1.0-18-amd64')).toBe('6.1')
  expect(shortRelease('unknown')).toBe('unknown')
})
