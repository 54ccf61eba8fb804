import { describe, expect, test } from '@jest/globals'
import { markdownOf, markdownTable, withPart } from '../../bench/markdown.ts'
import { RESULT } from './results.ts'

const DATE = new Date('2026-11-22T23:30:00Z')

describe('What is written of a result', () => {
  const written = markdownOf(RESULT, 'charts/polls.svg', DATE)

  test('has a table with values, their ratios, and the bounds', () => {
    // Without what only aligns.
    const cells = written.replaceAll(/ +\|/g, ' |').replaceAll(/\| +/g, '| ')
    expect(cells).toContain('| 1,000 polls & more | **koa-comet** | node:http | <peer> | bound |')
    expect(cells).toContain('| to all<br>times node:http | 27.5 µs<br>1.42 |')
    expect(cells).toContain('ok at most 1.45')
    expect(cells).toContain('| heap | 8.70 kB | 4.96 kB | | |')
  })

  test('has its notes, its chart, and how it came about', () => {
    expect(written).toContain('All is well. Without ws.')
    expect(written).toContain('![1,000 polls & more](charts/polls.svg)')
    expect(written).toContain('_2026-11-22, `npm run bench -- polls`: node 20.19.0, koa 3.1.2._')
  })
})

test('A table in Markdown keeps its columns, whatever its cells say', () => {
  expect(markdownTable(['a', 'b'], [['x | y', '1']])).toBe(
    ['| a      |   b |', '| ------ | --: |', '| x \\| y |   1 |'].join('\n'),
  )
})

describe('The part of a README', () => {
  const readme = 'Before.\n<!-- figures of polls -->\nold\n<!-- end of polls -->\nAfter.\n'

  test('is replaced, and nothing else', () => {
    const written = withPart(readme, 'polls', 'new $& $1')
    expect(written).toBe('Before.\n<!-- figures of polls -->\n\nnew $& $1\n\n<!-- end of polls -->\nAfter.\n')
    expect(withPart(written, 'polls', 'newer')).toBe(written.replace('new $& $1', 'newer'))
  })

  test('has to be there', () => {
    expect(() => withPart(readme, 'streams', 'new')).toThrow('no place for the figures of streams')
    expect(() => withPart(readme.replace('end of', ''), 'polls', 'new')).toThrow('no place')
  })
})
