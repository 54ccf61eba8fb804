import { formatRatio, formatValue, OURS, type Result, type Row } from './result.ts'
import { verdictOf } from './table.ts'

/** A table in Markdown, in the form of the project's formatter. The first column says what, the others have figures. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(escaped))
  const widths = head.map((_, column) => Math.max(3, ...lines.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const [first, ...others] = lines.map((cells) =>
    line(
      widths.map((width, column) => {
        const cell = cells[column] ?? ''
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      }),
    ),
  )
  const rule = line(
    widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)),
  )
  return [first, rule, ...others].join('\n')
}

/** What README.md says of a result: its table, its notes, its chart, and how it came about. */
export function markdownOf(result: Result, chart: string, date: Date): string {
  const { name, title, sides, rows, notes } = result
  const head = [title, ...sides.map((side) => (side === OURS ? `**${side}**` : side)), 'bound']
  return [
    markdownTable(head, rows.map(cellsOf)),
    notes.join(' '),
    `![${title}](${chart})`,
    origin(date, `npm run bench -- ${name}`, result.versions),
  ].join('\n\n')
}

/** `2026-11-22, by …; node 20.19.0 …` */
export function origin(date: Date, command: string, versions: readonly string[]): string {
  return `_${date.toISOString().slice(0, 10)}, \`${command}\`: ${versions.join(', ')}._`
}

function cellsOf({ what, unit, values, ratioTo, ratios, bounds }: Row): string[] {
  const figures = values.map((value, index) => {
    const figure = formatValue(value, unit)
    return ratios ? [figure, formatRatio(ratios[index]!)].filter(Boolean).join('<br>') : figure
  })
  return [ratios ? `${what}<br>times ${ratioTo}` : what, ...figures, verdictOf(bounds)]
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}

/**
 * Puts a part between `<!-- figures of name -->` and `<!-- end of name -->`.
 *
 * @throws Error if the text has no such place
 */
export function withPart(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- figures of ${name} -->`, `<!-- end of ${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from === -1 || to === -1)
    throw new Error(`There is no place for the figures of ${name}: "${begin}" and "${end}".`)
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`
}
