import { describe, expect, test } from '@jest/globals'
import { chartOf } from '../../bench/chart.ts'
import { COLOURS } from '../../bench/svg.ts'
import { COMPARED, COUNTED, PARTIAL, RESULT } from './results.ts'

const chart = chartOf(RESULT)

/** The widths of the bars of a colour. */
function widthsOf(svg: string, colour: string): number[] {
  return [...svg.matchAll(/<rect x="156"[^>]* width="([\d.]+)"[^>]* fill="([^"]+)"/g)]
    .filter(([, , fill]) => fill === colour)
    .map(([, width]) => Number(width))
}

describe('A chart', () => {
  test('says what was measured, of whom, and the figures', () => {
    for (const text of ['to all, times node:http', 'koa-comet', '1.42', '27.5 µs', 'heap', '8.70 kB']) {
      expect(chart).toContain(`>${text}</text>`)
    }
  })

  test('escapes names and the title', () => {
    expect(chart).toContain('>&lt;peer&gt;</text>')
    expect(chart).not.toContain('<peer>')
    expect(chart).toContain('<title>1,000 polls &amp; more</title>')
  })

  test('draws bars as long as their figures, ours in a colour of its own', () => {
    const [ours] = widthsOf(chartOf({ ...RESULT, rows: [COMPARED] }), COLOURS.ours)
    const [raw] = widthsOf(chartOf({ ...RESULT, rows: [COMPARED] }), COLOURS.yardstick)
    expect(ours! / raw!).toBeCloseTo(1.42, 2)
  })

  test('draws a bound that is a number as a dashed line where it lies, and says it', () => {
    expect(chart).toContain('>at most 1.45</text>')
    expect(chart).not.toContain('below')
    const line = /<line x1="([\d.]+)"[^>]*stroke-dasharray/.exec(chart)
    const [raw] = widthsOf(chart, COLOURS.yardstick)
    expect((Number(line?.[1]) - 156) / raw!).toBeCloseTo(1.45, 2)
  })

  test('has no bar of a side that has no figure, and none of counts', () => {
    expect(widthsOf(chartOf({ ...RESULT, rows: [PARTIAL] }), COLOURS.other)).toEqual([])
    expect(chartOf({ ...RESULT, rows: [COMPARED, COUNTED] })).not.toContain('answered')
  })

  test('measures what has one unit by one scale', () => {
    const other = { ...COMPARED, ratios: [2.84, 1, 3.28] }
    const widths = widthsOf(chartOf({ ...RESULT, rows: [COMPARED, other] }), COLOURS.ours)
    expect(widths[1]! / widths[0]!).toBeCloseTo(2, 2)
  })
})
