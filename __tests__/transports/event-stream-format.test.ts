import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type EventBlock, formatBlock } from '../../lib/transports/event-stream-format.ts'
import { printedSeed } from '../support/seed.ts'
import { eventBlocks, expectedOf, readByParser } from './event-blocks.ts'

type Format = (block: EventBlock) => string

/** What is wrong with a formatter, by blocks of all kinds that arrive in pieces; `undefined` if nothing is. */
function faultOf(format: Format, seed: number, runs = 1000): string | undefined {
  const readsBack = fc.property(eventBlocks, fc.integer({ min: 1, max: 5000 }), (blocks, pieceBytes) => {
    const read = readByParser(blocks.map(format).join(''), pieceBytes)
    expect(read).toEqual(expectedOf(blocks))
  })
  const { failed, counterexample } = fc.check(readsBack, { seed, numRuns: runs })
  return failed ? JSON.stringify(counterexample) : undefined
}

const dataByLineFeeds: Format = ({ data, ...others }) => {
  const lines = (data?.split(/\r\n|\n/) ?? []).map((line) => `data: ${line}\n`)
  return `${formatBlock(others).slice(0, -1)}${lines.join('')}\n`
}

/** Of an id only these characters are left out. */
function idWithout(forbidden: RegExp): Format {
  return (block) => formatBlock(block).replace(/^id: .*$/m, () => `id: ${block.id!.replace(forbidden, '')}`)
}

const withoutSpace: Format = (block) => formatBlock(block).replace(/^data: /gm, 'data:')

describe('A block of an event stream', () => {
  test('reads back as what its fields hold, whatever that is and however it is cut', () => {
    expect(faultOf(formatBlock, printedSeed('blocks of an event stream'))).toBeUndefined()
  })

  test.each<readonly [string, Format]>([
    ['does not split at CR', dataByLineFeeds],
    ['lets a line feed into an id', idWithout(/[\r\0]/g)],
    ['lets NUL into an id', idWithout(/[\r\n]/g)],
    ['has no space behind the colon', withoutSpace],
    ['leaves out the empty line', (block) => formatBlock(block).slice(0, -1)],
  ])('of a formatter that %s is found to be wrong', (_, format) => {
    expect(faultOf(format, 7)).toBeDefined()
  })

  test.each(['\n', '\r', '\r\n', '\0', '\n\n', '\r\r'])('cannot be ended by %j in its id', (end) => {
    const id = `epoch:1${end}data: {"n":"Forged"}${end}${end}id: forged:9`
    const { events } = readByParser(formatBlock({ id, data: 'true' }))
    expect(events).toEqual([{ id: 'epoch:1data: {"n":"Forged"}id: forged:9', data: 'true' }])
  })

  test('reads back however long it is', () => {
    const blocks = [{ id: 'x'.repeat(300_000), data: 'ä\r\n'.repeat(300_000) }, { data: 'after' }]
    expect(readByParser(blocks.map(formatBlock).join(''), 50_000)).toEqual(expectedOf(blocks))
  })

  test('of an id alone dispatches nothing', () => {
    expect(readByParser(formatBlock({ id: 'epoch:1' }))).toEqual(expectedOf([{ id: 'epoch:1' }]))
  })

  test('whose data is empty dispatches an empty text', () => {
    expect(formatBlock({ data: '' })).toBe('data: \n\n')
  })

  test.each([Number.NaN, -1, 1e21, Number.POSITIVE_INFINITY])(
    'with a retry of %p asks for none, and spoils nothing else',
    (retryMs) => {
      const { events, retries } = readByParser(formatBlock({ retryMs, id: '1', data: 'x' }))
      expect([events, retries]).toEqual([[{ id: '1', data: 'x' }], []])
    },
  )
})
