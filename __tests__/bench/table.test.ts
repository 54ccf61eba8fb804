import { describe, expect, test } from '@jest/globals'
import { tableOf } from '../../bench/table.ts'
import { RESULT } from './results.ts'

describe('A printed table', () => {
  const lines = tableOf(RESULT)

  test('has a line for each row, one more for its ratios, and the notes', () => {
    expect(lines).toHaveLength(1 + 4 + 2)
    expect(lines[0]).toMatch(/^1,000 polls & more +koa-comet +node:http +<peer>$/)
    expect(lines[1]).toMatch(/^to all +27\.5 µs +19\.7 µs +32\.3 µs$/)
    expect(lines.slice(5)).toEqual(['All is well.', 'Without ws.'])
  })

  test('says behind the ratios what they have to be, and whether they are', () => {
    expect(lines[2]).toMatch(
      /^ {2}times that of node:http +1\.42 +1\.00 +1\.64 {2}ok at most 1\.45, ok below <peer>$/,
    )
    expect(lines[4]).toMatch(/^answered +9,999 +10,000 +FAILED all$/)
  })

  test('has its figures below the names of the sides', () => {
    expect(lines[1]!.indexOf('27.5 µs') + '27.5 µs'.length).toBe(
      lines[0]!.indexOf('koa-comet') + 'koa-comet'.length,
    )
  })
})
