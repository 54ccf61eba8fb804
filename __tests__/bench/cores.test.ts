import { expect, test } from '@jest/globals'
import { coresIn } from '../../bench/cores.ts'

test.each([
  ['\t0-1\n', [0, 1]],
  ['3', [3]],
  ['0-2,8,10-11', [0, 1, 2, 8, 10, 11]],
])('The list %p of Linux names the cores %p', (list, cores) => {
  expect(coresIn(list)).toEqual(cores)
})
