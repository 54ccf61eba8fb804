/** Prints one line of a table: the figures side by side, and what they have to be. */
export type PrintLine = (what: string, figures: readonly string[], verdict?: string) => void

/** A table with so many columns of figures. */
export function table(columns: number): PrintLine {
  return (what, figures, verdict = '') => {
    const cells = Array.from({ length: columns }, (_, index) => (figures[index] ?? '').padStart(12))
    console.log(`${what.padEnd(44)}${cells.join('')}  ${verdict}`.trimEnd())
  }
}

/** Of an even number of values the greater one of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}

export function mark(holds: boolean): string {
  return holds ? 'ok' : 'FAILED'
}
