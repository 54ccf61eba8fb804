/** Colours that are read on the pictures' own background, which is the same in light and dark pages. */
export const COLOURS = {
  background: '#ffffff',
  frame: '#d8dee4',
  text: '#1f2328',
  faint: '#59636e',
  grid: '#e4e8ec',
  ours: '#0969da',
  yardstick: '#8c959f',
  other: '#c4ccd4',
  bound: '#cf222e',
} as const

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"

export const WIDTH = 700

/** How a text looks, and which side of it its place is. */
export interface TextStyle {
  readonly size?: number
  readonly colour?: string
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: number
}

/** A picture with a title. */
export function picture(title: string, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="${escaped(FONT)}">
<title>${escaped(title)}</title>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="${COLOURS.background}" stroke="${COLOURS.frame}"/>
${parts.join('\n')}
</svg>
`
}

/** A line of text; `y` is the line that its letters stand on. */
export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { size = 12, colour = COLOURS.text, anchor = 'start', weight = 400 } = style
  return `<text x="${at(x)}" y="${at(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${colour}">${escaped(words)}</text>`
}

export function rectangle(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="2" fill="${colour}"/>`
}

/** @param dashes as SVG has them; none for a whole line */
export function line(
  [fromX, fromY]: readonly [number, number],
  [toX, toY]: readonly [number, number],
  colour: string,
  dashes?: string,
): string {
  const dashed = dashes ? ` stroke-dasharray="${dashes}"` : ''
  return `<line x1="${at(fromX)}" y1="${at(fromY)}" x2="${at(toX)}" y2="${at(toY)}" stroke="${colour}"${dashed}/>`
}

/** A number as it is written in a picture. */
export function at(number: number): string {
  return `${Math.round(number * 10) / 10}`
}

export function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
