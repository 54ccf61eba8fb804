import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { drain } from '../../lib/subscribe/drain.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'

beforeEach(fakeTime)
afterEach(realTime)

type Drain = typeof drain

/** How many of a thousand are left after each tenth of ten seconds. */
async function leftOver(drainAll: Drain): Promise<number[]> {
  const things = new Set(countTo(1000))
  const left: number[] = []
  const drained = drainAll(things, 10_000, (thing) => things.delete(thing))
  for (const _ of countTo(10)) {
    left.push(things.size)
    await passSeconds(1)
  }
  await drained
  return left
}

function isEven(left: readonly number[]): boolean {
  // A step more or less.
  return left.every((count, second) => Math.abs(count - (1000 - second * 100)) <= 5)
}

describe('drain', () => {
  test('ends things evenly over the time', async () => {
    expect(isEven(await leftOver(drain))).toBe(true)
  })

  test.each<readonly [string, Drain]>([
    [
      'at once',
      async (things, _, end) => {
        for (const thing of things) end(thing)
      },
    ],
    [
      'in the end',
      async (things, overMs, end) => {
        await new Promise((resolve) => setTimeout(resolve, overMs - 1))
        for (const thing of things) end(thing)
      },
    ],
    [
      'by halves',
      async (things, overMs, end) => {
        for (const steps = 20; things.size > 0; ) {
          for (const thing of [...things].slice(0, Math.ceil(things.size / 2))) end(thing)
          await new Promise((resolve) => setTimeout(resolve, overMs / steps))
        }
      },
    ],
  ])('that ended them %s would be found uneven', async (_, drainSo) => {
    expect(isEven(await leftOver(drainSo))).toBe(false)
  })

  test('resolves when the last one is ended, and leaves no timer', async () => {
    const things = new Set(countTo(10))
    let isDrained = false
    const drained = drain(things, 300, (thing) => things.delete(thing)).then(() => {
      isDrained = true
    })
    await passSeconds(0.1)
    expect([things.size > 0, isDrained]).toEqual([true, false])
    await passSeconds(0.2)
    await drained
    expect([things.size, jest.getTimerCount()]).toEqual([0, 0])
  })

  test('ends at least one in each step, of a few over a long time', async () => {
    const things = new Set(countTo(4))
    const drained = drain(things, 3_600_000, (thing) => things.delete(thing))
    for (const left of [3, 2, 1]) {
      expect(things.size).toBe(left)
      await passSeconds(0.05)
    }
    await drained
  })

  test('ends those who are there in order, and does not count those who end by themselves', async () => {
    const things = new Set(countTo(1000))
    const ended: number[] = []
    const drained = drain(things, 10_000, (thing) => {
      ended.push(thing)
      things.delete(thing)
    })
    await passSeconds(4.99)
    expect(ended).toEqual(countTo(500))
    // All but a hundred of those who are left go.
    for (const thing of countTo(400, 501)) things.delete(thing)
    await passSeconds(2.5)
    expect(things.size).toBeGreaterThan(40)
    expect(things.size).toBeLessThan(60)
    await passSeconds(2.5)
    await drained
    expect(ended).toEqual([...countTo(500), ...countTo(100, 901)])
  })

  test('ends all at once if it has no time, and nothing if there is nothing', async () => {
    const things = new Set(countTo(1000))
    const drained = drain(things, 0, (thing) => things.delete(thing))
    expect(things.size).toBe(0)
    await drained
    await drain(new Set(), 10_000, () => {
      throw new Error('there is nothing to end')
    })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('makes up for time in which the process stood still', async () => {
    const things = new Set(countTo(1000))
    const drained = drain(things, 10_000, (thing) => things.delete(thing))
    expect(things.size).toBe(995)
    const now = performance.now()
    jest.spyOn(performance, 'now').mockReturnValue(now + 5000)
    await passSeconds(0.05)
    expect(things.size).toBe(985)
    jest.spyOn(performance, 'now').mockReturnValue(now + 20_000)
    await passSeconds(0.05)
    await drained
    expect(things.size).toBe(0)
  })
})
