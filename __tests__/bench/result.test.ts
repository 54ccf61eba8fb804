import { describe, expect, test } from '@jest/globals'
import { atLeast, atMost, below, formatValue, holds, rowOf } from '../../bench/result.ts'
import { COMPARED, COUNTED, PARTIAL, RESULT } from './results.ts'

const side = (name: string, ...values: readonly number[]) => ({ name, valuesOf: () => values })

const ORDER = { measure: 'cpu', what: 'CPU', unit: 'µs' }

describe('A row', () => {
  const sides = [side('koa-comet', 30, 20, 66), side('node:http', 20, 10, 60), side('ws', 10, 30, 30)]

  test('has the medians of the rounds, and of the ratios within the rounds', () => {
    const row = rowOf(sides, { ...ORDER, ratioTo: 'node:http' })
    expect(row.values).toEqual([30, 20, 30])
    expect(row.ratios).toEqual([1.5, 1, 0.5])
    expect(row.ratioTo).toBe('node:http')
  })

  test('has no ratios where nothing is compared', () => {
    expect(rowOf(sides, ORDER)).toEqual({ what: 'CPU', unit: 'µs', values: [30, 20, 30], bounds: [] })
  })

  test('has nothing of a side that does not take part, or that has no such number', () => {
    const row = rowOf([...sides, side('faye'), side('Nchan', Number.NaN)], { ...ORDER, ratioTo: 'node:http' })
    expect(row.values.slice(3)).toEqual([null, null])
    expect(row.ratios!.slice(3)).toEqual([null, null])
  })
})

describe('A bound', () => {
  const holdsFor = (demand: ReturnType<typeof atMost>, ratioTo?: string) =>
    rowOf([side('koa-comet', 6), side('node:http', 4), side('ws', 6), side('Nchan', 7)], {
      ...ORDER,
      ...(ratioTo && { ratioTo }),
      demands: [demand],
    }).bounds

  test('is a number that the ratio must not exceed', () => {
    expect(holdsFor(atMost(1.5), 'node:http')).toEqual([{ text: 'at most 1.5', holds: true, limit: 1.5 }])
    expect(holdsFor(atMost(1.49), 'node:http')).toMatchObject([{ holds: false }])
  })

  test('is one of the value, with its unit, where nothing is compared', () => {
    expect(holdsFor(atMost(6))).toEqual([{ text: 'at most 6 µs', holds: true, limit: 6 }])
    expect(holdsFor(atMost(5.9))).toMatchObject([{ holds: false }])
  })

  test('is a number that must be reached', () => {
    expect(holdsFor(atLeast(1.5), 'node:http')).toMatchObject([{ text: 'at least 1.5', holds: true }])
    expect(holdsFor(atLeast(1.51), 'node:http')).toMatchObject([{ holds: false }])
  })

  test('is that of a peer that is there', () => {
    expect(holdsFor(below('Nchan', 'ws', 'faye'), 'node:http')).toEqual([
      { text: 'below Nchan', holds: true },
      { text: 'below ws', holds: false },
    ])
  })

  test('that is broken breaks the result', () => {
    expect(holds({ ...RESULT, rows: [COMPARED, PARTIAL] })).toBe(true)
    expect(holds({ ...RESULT, rows: [COMPARED, PARTIAL, COUNTED] })).toBe(false)
  })
})

describe('A value is written', () => {
  test.each([
    [0.9871, 'µs', '0.99 µs'],
    [12.34, 'kB', '12.3 kB'],
    [131_072.4, '/s', '131,072 /s'],
    [10_000, '', '10,000'],
    [0, '', '0'],
    [null, 'µs', ''],
  ])('%p %p as %p', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text)
  })
})
