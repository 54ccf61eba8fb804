import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { MessageEntry } from '../../lib/comet-state-provider.ts'
import { entryOf, messageKind, type StreamEntry } from '../../providers/redis/entry-fields.ts'
import { RecentMap } from '../../providers/redis/recent-map.ts'
import { printedSeed } from '../support/seed.ts'

type Message = Pick<MessageEntry, 'topics' | 'except' | 'name' | 'contents'>

/** As the script adds it. */
function storedMessage(id: number, { topics, except, name, contents }: Message): StreamEntry {
  const rest = except.length === 0 ? [] : ['except', JSON.stringify(except)]
  return [`${id}-0`, [messageKind(topics, name), `1795341848431 120 ${contents}`, ...rest]]
}

const text = fc.oneof(
  fc.string({ maxLength: 128, unit: 'grapheme' }),
  fc.stringMatching(/^[ 0-9[\]"\\]{0,20}$/),
  fc.constantFrom('', 'message ', '12 c:ann', '["c:ann"]'),
)
const topic = fc.oneof(
  fc.constant('*'),
  fc.tuple(fc.constantFrom('c:', 'g:', 'u:', 's:'), text).map((parts) => parts.join('')),
)
const message = fc.record({
  topics: fc.array(topic, { minLength: 1, maxLength: 5 }),
  except: fc.array(text, { maxLength: 3 }),
  name: text,
  contents: fc.oneof(fc.json(), text),
})

describe('A message in the stream of Redis', () => {
  test('reads back as it was sent, whatever its names, groups and contents are', () => {
    const readsBack = fc.property(message, fc.integer({ min: 1, max: 2 ** 52 }), (sent, id) => {
      const read = entryOf(storedMessage(id, sent))
      expect(read).toEqual({ kind: 'message', id, ...sent })
      expect(entryOf(storedMessage(id, sent))).toEqual(read)
    })
    fc.assert(readsBack, { seed: printedSeed('redis entries'), numRuns: 2000 })
  })

  test('shares its list of topics with those to the same address', () => {
    const sent = { topics: ['c:ann'], except: [], name: 'a name that is not short', contents: '1' }
    const [one, other] = [1, 2].map((id) => entryOf(storedMessage(id, sent)) as MessageEntry)
    expect(other!.topics).toBe(one!.topics)
  })

  test('is not read if its address has no length', () => {
    expect(() => entryOf(['1-0', ['message x*Chat', '1 2 3']])).toThrow("cannot be read: 'x*Chat'")
  })
})

describe('A map of what was asked for lately', () => {
  test('holds so many at most, and the newest half of them at least', () => {
    const map = new RecentMap<number>(10)
    for (let value = 0; value < 100; value++) map.set(`${value}`, value)
    const held = Array.from({ length: 100 }, (_, value) => map.get(`${value}`) !== undefined)
    expect(held.slice(95)).toEqual(Array(5).fill(true))
    expect(held.filter(Boolean).length).toBeLessThanOrEqual(10)
  })

  test('keeps what is asked for all the time, whatever else comes', () => {
    const map = new RecentMap<number>(10)
    map.set('kept', 1)
    for (let value = 0; value < 100; value++) {
      map.set(`${value}`, value)
      expect(map.get('kept')).toBe(1)
    }
  })
})
