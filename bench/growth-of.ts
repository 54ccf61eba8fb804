import type { Series } from './plot.ts'
import { formatValue, type Row } from './result.ts'

/** How something grows: a plot and a table. */
export interface Growth {
  /** Of its picture. */
  readonly name: string
  readonly title: string
  /** What there are more and more of. */
  readonly xLabel: string
  readonly unit: string
  readonly series: readonly Series[]
}

/** @param measured for each number of things, what was measured of all series */
export function seriesOf(
  name: string,
  measured: ReadonlyMap<number, readonly number[]>,
  index: number,
): Series {
  return { name, points: [...measured].map(([x, values]) => [x, values[index]!] as const) }
}

/** The numbers of things, in their order. */
export function sizesOf({ series }: Growth): number[] {
  const all = new Set(series.flatMap(({ points }) => points.map(([x]) => x)))
  return [...all].sort((one, other) => one - other)
}

/** A row for each series, with a value for each size that it has one of. */
export function rowsOf(growth: Growth): Row[] {
  const sizes = sizesOf(growth)
  return growth.series.map(({ name, points }) => {
    const values = new Map(points)
    return {
      what: name,
      unit: growth.unit,
      values: sizes.map((size) => values.get(size) ?? null),
      bounds: [],
    }
  })
}

/** A table's head and rows, as texts. */
export function cellsOf(growth: Growth): { head: string[]; rows: string[][] } {
  const head = [
    `${growth.title}, by ${growth.xLabel}`,
    ...sizesOf(growth).map((size) => formatValue(size, '')),
  ]
  const rows = rowsOf(growth).map(({ what, unit, values }) => [
    what,
    ...values.map((value) => formatValue(value, unit)),
  ])
  return { head, rows }
}
