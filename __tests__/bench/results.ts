import type { Result, Row } from '../../bench/result.ts'

/** A row of three sides, that compares them. */
export const COMPARED: Row = {
  what: 'to all',
  unit: 'µs',
  values: [27.5, 19.7, 32.25],
  ratioTo: 'node:http',
  ratios: [1.42, 1, 1.64],
  bounds: [
    { text: 'at most 1.45', holds: true, limit: 1.45 },
    { text: 'below <peer>', holds: true },
  ],
}

/** A row that only some have. */
export const PARTIAL: Row = { what: 'heap', unit: 'kB', values: [8.7, 4.96, null], bounds: [] }

export const COUNTED: Row = {
  what: 'answered',
  unit: '',
  values: [9_999, 10_000, null],
  bounds: [{ text: 'all', holds: false }],
}

export const RESULT: Result = {
  name: 'polls',
  title: '1,000 polls & more',
  sides: ['koa-comet', 'node:http', '<peer>'],
  rows: [COMPARED, PARTIAL, COUNTED],
  notes: ['All is well.', 'Without ws.'],
  versions: ['node 20.19.0', 'koa 3.1.2'],
}
