import { type Bound, formatRatio, formatValue, OURS, RAW, type Result, type Row } from './result.ts'
import { COLOURS, line, picture, rectangle, text, WIDTH } from './svg.ts'

const MARGIN = 20
const NAMES_WIDTH = 136
/** Figures stand in columns of their own: a line of a bound would cross them behind the bars. */
const FIGURES_WIDTH = 116
const FIGURE_WIDTH = 66
const RIGHT = WIDTH - MARGIN
const BARS_FROM = MARGIN + NAMES_WIDTH
const BARS_WIDTH = RIGHT - BARS_FROM - FIGURES_WIDTH
const HEAD_HEIGHT = 46
const GROUP_HEAD_HEIGHT = 24
const BAR_HEIGHT = 15
const BAR_STEP = 21
const BOUND_HEIGHT = 18
const GROUP_GAP = 14

interface Bar {
  readonly name: string
  /** What its length says. */
  readonly figure: number
  /** The last one says what was measured, one before it how that compares. */
  readonly labels: readonly string[]
}

/** The bars of one row. */
interface Group {
  readonly what: string
  /** Groups of one unit have one scale. */
  readonly unit: string
  readonly bars: readonly Bar[]
  readonly limits: readonly Bound[]
}

/** A picture of a result: a group of bars for each row that compares sides, and lines for the bounds. Counts have no bars. */
export function chartOf({ title, sides, rows }: Result): string {
  const groups = rows.map((row) => groupOf(row, sides)).filter(({ bars }) => bars.length > 1)
  const parts = [text(MARGIN, 30, title, { size: 16, weight: 600 })]
  let y = HEAD_HEIGHT
  for (const group of groups) {
    parts.push(...drawn(group, y, scaleOf(groups, group.unit)))
    y += heightOf(group)
  }
  return picture(title, y, parts)
}

function groupOf({ what, unit, values, ratioTo, ratios, bounds }: Row, sides: readonly string[]): Group {
  const bars = sides.flatMap((name, index) => {
    const figure = (ratios ?? values)[index] ?? null
    if (figure === null || (!ratios && unit === '')) return []
    const value = formatValue(values[index]!, unit)
    return [{ name, figure, labels: ratios ? [formatRatio(figure), value] : [value] }]
  })
  const limits = bounds.filter(({ limit }) => limit !== undefined)
  return ratios
    ? { what: `${what}, times ${ratioTo}`, unit: 'times', bars, limits }
    : { what, unit, bars, limits }
}

/** How many pixels one of the unit is long. */
function scaleOf(groups: readonly Group[], unit: string): number {
  const longest = groups
    .filter((group) => group.unit === unit)
    .flatMap(({ bars, limits }) => [
      ...bars.map(({ figure }) => figure),
      ...limits.map(({ limit }) => limit!),
    ])
  return BARS_WIDTH / Math.max(...longest)
}

function heightOf({ bars, limits }: Group): number {
  return GROUP_HEAD_HEIGHT + bars.length * BAR_STEP + (limits.length > 0 ? BOUND_HEIGHT : 0) + GROUP_GAP
}

function drawn({ what, bars, limits }: Group, y: number, scale: number): string[] {
  const top = y + GROUP_HEAD_HEIGHT
  const bottom = top + bars.length * BAR_STEP
  return [
    text(MARGIN, y + 14, what, { size: 13, colour: COLOURS.faint }),
    ...bars.flatMap((bar, index) => drawnBar(bar, top + index * BAR_STEP, scale)),
    ...limits.flatMap((bound) => drawnBound(bound, top, bottom, scale)),
  ]
}

function drawnBar({ name, figure, labels }: Bar, y: number, scale: number): string[] {
  const weight = name === OURS ? 600 : 400
  const base = y + BAR_HEIGHT - 3
  return [
    text(BARS_FROM - 8, base, name, { anchor: 'end', weight }),
    rectangle(BARS_FROM, y, figure * scale, BAR_HEIGHT, colourOf(name)),
    ...labels.toReversed().map((label, index) => {
      const colour = index === 0 && labels.length > 1 ? COLOURS.faint : COLOURS.text
      return text(RIGHT - index * FIGURE_WIDTH, base, label, { anchor: 'end', weight, colour })
    }),
  ]
}

function colourOf(name: string): string {
  if (name === OURS) return COLOURS.ours
  return name === RAW ? COLOURS.yardstick : COLOURS.other
}

function drawnBound({ text: words, limit }: Bound, top: number, bottom: number, scale: number): string[] {
  const x = BARS_FROM + limit! * scale
  return [
    line([x, top - 4], [x, bottom + 2], COLOURS.bound, '4 3'),
    text(x, bottom + 14, words, { size: 11, colour: COLOURS.bound, anchor: 'middle' }),
  ]
}
