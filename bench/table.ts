import { type Bound, formatRatio, formatValue, type Result, type Row } from './result.ts'

const LEAST_WIDTH = 12

/** The lines of a table: the sides' figures side by side, and what they have to be. */
export function tableOf({ title, sides, rows, notes }: Result): string[] {
  const whatWidth = Math.max(title.length, ...rows.map(({ what }) => what.length)) + 2
  const line = (what: string, figures: readonly string[], verdict = ''): string => {
    const cells = figures.map((figure, index) =>
      figure.padStart(Math.max(LEAST_WIDTH, sides[index]!.length + 2)),
    )
    return `${what.padEnd(whatWidth)}${cells.join('')}  ${verdict}`.trimEnd()
  }
  return [line(title, sides), ...rows.flatMap((row) => linesOf(row, line)), ...notes]
}

function linesOf(
  { what, unit, values, ratioTo, ratios, bounds }: Row,
  line: (what: string, figures: readonly string[], verdict?: string) => string,
): string[] {
  const figures = values.map((value) => formatValue(value, unit))
  const verdict = verdictOf(bounds)
  if (!ratios) return [line(what, figures, verdict)]
  return [line(what, figures), line(`  times that of ${ratioTo}`, ratios.map(formatRatio), verdict)]
}

/** `ok at most 1.45` */
export function verdictOf(bounds: readonly Bound[]): string {
  return bounds.map(({ text, holds }) => `${holds ? 'ok' : 'FAILED'} ${text}`).join(', ')
}
