import { median } from './median.ts'

/** What this project is called among the sides. */
export const OURS = 'koa-comet'

/** The same, before Koa sees its pages. */
export const ATTACHED = 'koa-comet attached'

/** What others are measured by. */
export const RAW = 'node:http'

/** What a figure of this project has to be. */
export interface Bound {
  /** `at most 1.45` */
  readonly text: string
  readonly holds: boolean
  /** Where it lies, if it is a number. */
  readonly limit?: number
}

/** One thing that was measured of the sides. */
export interface Row {
  readonly what: string
  /** Nothing for counts. */
  readonly unit: string
  /** Of each side; null of one that has none. */
  readonly values: readonly (number | null)[]
  /** The side that the others are compared with. */
  readonly ratioTo?: string
  /** Of each side; none where nothing is compared. */
  readonly ratios?: readonly (number | null)[]
  readonly bounds: readonly Bound[]
}

/** What a benchmark has to say. */
export interface Result {
  /** The benchmark's name, as `npm run bench` takes it. */
  readonly name: string
  readonly title: string
  readonly sides: readonly string[]
  readonly rows: readonly Row[]
  /** What one has to know to read the figures. */
  readonly notes: readonly string[]
  /** Names and versions of what was measured. */
  readonly versions: readonly string[]
}

/** What was measured of a side. */
export interface MeasuredSide {
  readonly name: string
  /** Of each round; none if it does not take part in this. */
  valuesOf(measure: string): readonly number[]
}

/** Says what this project's figure has to be: its ratio, or its value where nothing is compared. */
export type Demand = (figures: ReadonlyMap<string, number>, unit: string) => readonly Bound[]

export function atMost(limit: number): Demand {
  return (figures, unit) => [
    { text: `at most ${withUnit(limit, unit)}`, holds: figures.get(OURS)! <= limit, limit },
  ]
}

/** Of this project where it is attached. Its limit is no line of a chart: that is about the project as it is. */
export function attachedAtMost(limit: number): Demand {
  return (figures, unit) => [
    { text: `attached at most ${withUnit(limit, unit)}`, holds: figures.get(ATTACHED)! <= limit },
  ]
}

export function atLeast(limit: number): Demand {
  return (figures, unit) => [
    { text: `at least ${withUnit(limit, unit)}`, holds: figures.get(OURS)! >= limit, limit },
  ]
}

/** Nothing of those that are not there. */
export function below(...names: readonly string[]): Demand {
  return (figures) =>
    names
      .filter((name) => figures.has(name))
      .map((name) => ({ text: `below ${name}`, holds: figures.get(OURS)! < figures.get(name)! }))
}

/** What a row is made of. */
export interface RowOrder {
  readonly measure: string
  readonly what: string
  readonly unit: string
  readonly ratioTo?: string
  readonly demands?: readonly Demand[]
}

/** The medians of a measure, and of the rounds' ratios. */
export function rowOf(
  sides: readonly MeasuredSide[],
  { measure, what, unit, ratioTo, demands = [] }: RowOrder,
): Row {
  const all = sides.map((side) => side.valuesOf(measure))
  const values = all.map(medianOf)
  const yardstick = all[sides.findIndex(({ name }) => name === ratioTo)]
  const ratios =
    yardstick && all.map((each) => medianOf(each.map((value, round) => value / yardstick[round]!)))
  const figures = new Map(
    (ratios ?? values).flatMap((figure, index) => (figure === null ? [] : [[sides[index]!.name, figure]])),
  )
  const bounds = demands.flatMap((demand) => demand(figures, ratios ? '' : unit))
  return { what, unit, values, bounds, ...(ratios && ratioTo && { ratioTo, ratios }) }
}

/** A side that has something no number says has NaN there. */
function medianOf(values: readonly number[]): number | null {
  return values.length === 0 || values.some(Number.isNaN) ? null : median(values)
}

export function holds({ rows }: Result): boolean {
  return rows.every(({ bounds }) => bounds.every((bound) => bound.holds))
}

export function withUnit(number: number, unit: string): string {
  return unit === '' ? `${number}` : `${number} ${unit}`
}

/** As exact as it says something. */
export function formatValue(value: number | null, unit: string): string {
  if (value === null) return ''
  const digits = unit === '' || value >= 100 ? 0 : value >= 10 ? 1 : 2
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return unit === '' ? text : `${text} ${unit}`
}

export function formatRatio(ratio: number | null): string {
  return ratio === null ? '' : ratio.toFixed(2)
}
