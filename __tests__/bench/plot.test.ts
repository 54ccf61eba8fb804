import { describe, expect, test } from '@jest/globals'
import { plot, ticksUpTo } from '../../bench/plot.ts'

const svg = plot({
  title: 'CPU <of> a delivery',
  xLabel: 'clients',
  yLabel: 'µs',
  series: [
    {
      name: 'polls & more',
      points: [
        [100, 30],
        [1_000, 15],
        [10_000, 0],
      ],
    },
    {
      name: 'streams',
      points: [
        [100, 10],
        [10_000, 20],
      ],
    },
  ],
})

const lines = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) =>
  points!.split(' ').map((point) => point.split(',').map(Number)),
)

describe('A plot', () => {
  test('says what it shows, escaped', () => {
    for (const text of ['CPU &lt;of&gt; a delivery', 'clients', 'µs', 'polls &amp; more', 'streams']) {
      expect(svg).toContain(`>${text}</text>`)
    }
  })

  test('has a line for each series, with a place for each point', () => {
    expect(lines.map((points) => points.length)).toEqual([3, 2])
    expect(svg.match(/<polyline[^>]*><\/?circle|<circle/g)!.length).toBeGreaterThanOrEqual(5)
  })

  test('gives each power of ten the same width', () => {
    const [[first], [second], [third]] = lines[0] as [number[], number[], number[]]
    expect(third! - second!).toBeCloseTo(second! - first!, 1)
    for (const number of ['100', '1,000', '10,000']) expect(svg).toContain(`>${number}</text>`)
  })

  test('begins at 0, and higher is more', () => {
    const [high, middle, zero] = lines[0]!.map(([, y]) => y!) as [number, number, number]
    expect(zero - middle).toBeCloseTo(middle - high, 1)
    expect(zero).toBeGreaterThan(high)
  })
})

test.each([
  [30, [0, 10, 20, 30]],
  [24, [0, 5, 10, 15, 20, 25]],
  [1_120, [0, 500, 1_000, 1_500]],
  [0.8, [0, 0.2, 0.4, 0.6, 0.8]],
])('The ticks up to %p are round, and few', (most, ticks) => {
  expect(ticksUpTo(most).map((tick) => Math.round(tick * 100) / 100)).toEqual(ticks)
})
