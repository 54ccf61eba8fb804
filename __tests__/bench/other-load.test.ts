import { describe, expect, test } from '@jest/globals'
import { noteOn, readTicks, shareOfOthers, ticksOf } from '../../bench/other-load.ts'

const SYSTEM = `cpu  1000 10 500 8000 200 5 15 70 900 0
cpu0 500 5 250 4000 100 2 7 35 450 0
cpu1 500 5 250 4000 100 3 8 35 450 0
intr 1
`

/** Field by field as Linux writes it; of the times the first two are the process's own. */
function process(pid: number, name: string, parent: number, user: number, system: number): string {
  return `${pid} (${name}) S ${parent} 1 1 0 -1 4194304 100 0 0 0 ${user} ${system} 77 88 20 0 11 0`
}

describe('The ticks of the processors', () => {
  const ticks = ticksOf(
    SYSTEM,
    [
      process(300, 'load', 200, 20, 2),
      process(200, 'odd) 1 name (', 100, 30, 3),
      process(100, 'node', 1, 40, 4),
      process(101, 'other', 1, 500, 50),
    ],
    100,
  )

  test('are busy in user, system and interrupts, and when others have the machine', () => {
    expect(ticks.busy).toBe(1000 + 10 + 500 + 5 + 15 + 70)
  })

  test('go by on each core', () => {
    expect(ticks.elapsed).toBe((1600 + 8000 + 200) / 2)
  })

  test('are own ones of a process, and of all below it, whatever they are called', () => {
    expect(ticks.own).toBe(44 + 33 + 22)
  })
})

describe('The share that others take', () => {
  const before = { busy: 1_000, elapsed: 5_000, own: 100 }

  test('is that of one core, without what is our own', () => {
    expect(shareOfOthers(before, { busy: 1_150, elapsed: 5_100, own: 210 })).toBeCloseTo(0.4)
  })

  test('is never less than nothing: ticks are counted to a hundredth of a second', () => {
    expect(shareOfOthers(before, { busy: 1_100, elapsed: 5_100, own: 203 })).toBe(0)
  })

  test('is told as that of the median round, with the number of disturbed ones', () => {
    expect(noteOn([0.02, 0.5, 0.1, 0.11, 0])).toBe(
      'Other processes took 10 % of a core in the median round, and more than 10 % in 2 of 5 rounds.',
    )
  })
})

test('The ticks can be read here, where there is /proc', () => {
  const ticks = readTicks()
  if (ticks) {
    expect(ticks.own).toBeGreaterThan(0)
    expect(ticks.busy).toBeGreaterThan(ticks.own)
  }
})
