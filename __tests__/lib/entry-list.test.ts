import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { EntryList } from '../../lib/entry-list.ts'

interface Item {
  readonly id: number
}

function contentsOf(list: EntryList<Item>): number[] {
  return Array.from({ length: list.length }, (_, index) => list.at(index)!.id)
}

test('An empty list has neither an oldest nor a newest item', () => {
  const list = new EntryList<Item>()
  expect([list.length, list.oldest, list.newest, list.at(0), list.indexAfter(0)]).toEqual([
    0,
    undefined,
    undefined,
    undefined,
    0,
  ])
  list.push({ id: 1 })
  list.dropOldest()
  expect([list.length, list.oldest, list.newest]).toEqual([0, undefined, undefined])
})

test('The index after an id is that of the first item above it, or the length', () => {
  const list = new EntryList<Item>()
  for (const id of [2, 4, 6]) list.push({ id })
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((id) => list.indexAfter(id))).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
})

test('Whatever is pushed and dropped, however much, it is what a plain array would be', () => {
  const steps = fc.array(fc.record({ pushed: fc.nat(2000), dropped: fc.nat(2500), asked: fc.nat() }), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(steps, (list) => {
      const entries = new EntryList<Item>()
      let plain: number[] = []
      let id = 0
      for (const { pushed, dropped, asked } of list) {
        for (let index = 0; index < pushed; index++) {
          id += 2
          entries.push({ id })
          plain.push(id)
        }
        const count = Math.min(dropped, plain.length)
        for (let index = 0; index < count; index++) entries.dropOldest()
        plain = plain.slice(count)
        const sought = id === 0 ? 0 : asked % (id + 2)
        expect(contentsOf(entries)).toEqual(plain)
        expect([entries.oldest?.id, entries.newest?.id]).toEqual([plain[0], plain.at(-1)])
        expect(entries.indexAfter(sought)).toBe(plain.filter((each) => each <= sought).length)
      }
    }),
    { numRuns: 50 },
  )
})
