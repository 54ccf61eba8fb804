import { at, COLOURS, line, picture, text, WIDTH } from './svg.ts'

/** A line of a plot. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly Series[]
}

const HEIGHT = 390
const LEFT = 76
const RIGHT = WIDTH - 44
const TOP = 96
const BOTTOM = HEIGHT - 56

/** This project's first, then those that are told apart by those who see no red or no green. */
const SERIES_COLOURS = [COLOURS.ours, '#bc4c00', '#1a7f37', '#8250df', COLOURS.yardstick]

/** Lines in a picture: x grows by powers of ten, y from 0. */
export function plot({ title, xLabel, yLabel, series }: Plot): string {
  const points = series.flatMap((each) => each.points)
  const decades = decadesOf(points.map(([x]) => x))
  const ticks = ticksUpTo(Math.max(...points.map(([, y]) => y)))
  const x = (value: number): number =>
    LEFT + ((Math.log10(value) - decades[0]!) / (decades.at(-1)! - decades[0]!)) * (RIGHT - LEFT)
  const y = (value: number): number => BOTTOM - (value / ticks.at(-1)!) * (BOTTOM - TOP)
  return picture(title, HEIGHT, [
    text(20, 30, title, { size: 16, weight: 600 }),
    text(20, TOP - 16, yLabel, { colour: COLOURS.faint }),
    text((LEFT + RIGHT) / 2, HEIGHT - 16, xLabel, { colour: COLOURS.faint, anchor: 'middle' }),
    ...ticks.flatMap((value) => [
      line([LEFT, y(value)], [RIGHT, y(value)], COLOURS.grid),
      text(LEFT - 10, y(value) + 4, number(value), { anchor: 'end', colour: COLOURS.faint }),
    ]),
    ...decades.flatMap((decade) => [
      line([x(10 ** decade), BOTTOM], [x(10 ** decade), BOTTOM + 5], COLOURS.yardstick),
      text(x(10 ** decade), BOTTOM + 20, number(10 ** decade), { anchor: 'middle', colour: COLOURS.faint }),
    ]),
    ...series.map((each, index) => curve(each, colourOf(index), x, y)),
    ...legend(series),
  ])
}

function curve(
  { points }: Series,
  colour: string,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const places = points.map(([pointX, pointY]) => [at(x(pointX)), at(y(pointY))] as const)
  const path = places.map((place) => place.join(',')).join(' ')
  const dots = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`)
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`
}

/** In a line above the curves; about as wide as its letters. */
function legend(series: readonly Series[]): string[] {
  let x = 20
  return series.flatMap(({ name }, index) => {
    const from = x
    x += 36 + name.length * 6.6
    return [
      line([from, 48], [from + 16, 48], colourOf(index)),
      `<circle cx="${at(from + 8)}" cy="48" r="3.5" fill="${colourOf(index)}"/>`,
      text(from + 22, 52, name),
    ]
  })
}

function colourOf(index: number): string {
  return SERIES_COLOURS[index % SERIES_COLOURS.length]!
}

/** The powers of ten around these. */
function decadesOf(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** About five round numbers from 0 to at least this. */
export function ticksUpTo(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(most / 5))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power * 5 >= most) ?? 10)
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step)
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}
