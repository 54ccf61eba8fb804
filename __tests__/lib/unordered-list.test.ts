import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Listed, UnorderedList } from '../../lib/subscribe/unordered-list.ts'

interface Thing extends Listed {
  readonly name: number
}

const NAMES = 12

function things(): Thing[] {
  return Array.from({ length: NAMES }, (_, name) => ({ name, place: 0 }))
}

function visited(list: UnorderedList<Thing>): Thing[] {
  const found: Thing[] = []
  list.forEach((thing) => {
    found.push(thing)
  })
  return found
}

test('It has what was added and not taken out, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(NAMES - 1)), (names) => {
      const [all, list, model] = [things(), new UnorderedList<Thing>(), new Set<Thing>()]
      for (const name of names) {
        const thing = all[name]!
        if (model.delete(thing)) list.delete(thing)
        else {
          model.add(thing)
          list.add(thing)
        }
        expect(list.size).toBe(model.size)
        expect(new Set(visited(list))).toEqual(model)
        expect(visited(list)).toHaveLength(model.size)
      }
    }),
  )
})

test('To take out what is not there changes nothing', () => {
  const [one, two, three] = things()
  const list = new UnorderedList<Thing>()
  list.delete(one!)
  list.add(one!)
  list.add(two!)
  list.delete(three!)
  list.delete(two!)
  list.delete(two!)
  expect(visited(list)).toEqual([one])
})

test('What is visited one by one may be taken out: all are visited, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: NAMES, maxLength: NAMES }), (leaves) => {
      const list = new UnorderedList<Thing>()
      for (const thing of things()) list.add(thing)
      const seen: number[] = []
      for (const thing of list) {
        seen.push(thing.name)
        if (leaves[thing.name]) list.delete(thing)
      }
      expect(seen.sort((a, b) => a - b)).toEqual(things().map(({ name }) => name))
      expect(list.size).toBe(leaves.filter((isLeaving) => !isLeaving).length)
    }),
  )
})
