import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Entry, MessageEntry } from '../../lib/comet-state-provider.ts'
import { MessageLog, type Reader } from '../../lib/message-log.ts'
import { AMPLE, at, messageEntry, type Subscription, subscribed } from '../support/log-entries.ts'

const TOPICS = ['*', 'c:ann', 'g:one', 'g:two', 'u:7']

interface Written {
  readonly gap: number
  readonly topics: readonly string[] | null
  readonly isForAnn: boolean
  readonly length: number
}

const written: fc.Arbitrary<Written> = fc.record({
  gap: fc.integer({ min: 1, max: 3 }),
  topics: fc.option(fc.subarray(TOPICS, { minLength: 1 })),
  isForAnn: fc.boolean(),
  length: fc.integer({ min: 0, max: 200 }),
})

function entriesOf(list: readonly Written[]): Entry[] {
  let id = 0
  return list.map(({ gap, topics, isForAnn, length }) => {
    id += gap
    if (topics === null) return { kind: 'initialise', id, publicToken: `client-${id}` }
    return messageEntry(id, topics, {
      except: isForAnn ? [] : ['ann'],
      contents: JSON.stringify('x'.repeat(length)),
    })
  })
}

/** One whose intervals can be looked at. */
interface OpenReader extends Reader {
  readonly subscriptions: readonly Subscription[]
}

const reader: fc.Arbitrary<OpenReader> = fc
  .record({
    publicToken: fc.constant('ann'),
    floor: fc.integer({ min: 0, max: 40 }),
    end: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
    subscriptions: fc.array(
      fc
        .record({
          topic: fc.constantFrom(...TOPICS),
          after: fc.integer({ min: 0, max: 100 }),
          before: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
        })
        .map(({ before, ...rest }) => (before === undefined ? rest : { ...rest, before })),
      { maxLength: 6 },
    ),
  })
  .map((parts) => ({ ...parts, ...subscribed(parts.subscriptions) }))

/** What is addressed to the reader above a position, found by looking at every entry. */
function addressed(
  entries: readonly Entry[],
  { publicToken, end, subscriptions }: OpenReader,
  position: number,
): MessageEntry[] {
  return entries.filter(
    (entry): entry is MessageEntry =>
      entry.kind === 'message' &&
      entry.id > position &&
      (end === undefined || entry.id < end) &&
      !entry.except.includes(publicToken) &&
      subscriptions.some(
        ({ topic, after, before }) =>
          entry.topics.includes(topic) && entry.id > after && (before === undefined || entry.id < before),
      ),
  )
}

function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, { numRuns: 1000, reporter: report })
}

function report<T>(details: fc.RunDetails<T>): void {
  if (details.failed) throw new Error(fc.defaultReportMessage(details))
  process.stdout.write(`message log: seed ${details.seed}, ${details.numRuns} runs\n`)
}

test('A read finds what a look at every entry finds', () => {
  check(
    fc.property(fc.array(written, { maxLength: 60 }), reader, fc.nat(130), (list, ann, cursor) => {
      const log = new MessageLog(AMPLE, () => 0)
      const entries = entriesOf(list)
      log.reset({ epoch: 'e1', entries, head: entries.at(-1)?.id ?? 0, trimmedThrough: 0 })
      fc.pre(cursor <= log.head)
      const read = log.read(ann, at(cursor), Number.POSITIVE_INFINITY)
      const position = Math.max(cursor, ann.floor)
      expect(read.messages).toEqual(addressed(entries, ann, position))
      expect(read.through).toBe(Math.max(position, log.head))
      expect(read.reset).toBeUndefined()
    }),
  )
})

test('Many who read one log, one after another, find each what a look at every entry finds for it', () => {
  const how = { cursor: fc.nat(130), applied: fc.nat(3), name: fc.constantFrom('ann', 'bob') }
  // Some have all in common, as pages have that nothing but messages to everybody reaches.
  const everybody: fc.Arbitrary<OpenReader> = fc.nat(5).map((floor) => {
    const subscriptions = [{ topic: '*', after: floor }]
    return { publicToken: 'ann', floor, subscriptions, ...subscribed(subscriptions) }
  })
  const visits = fc.array(fc.record({ who: fc.oneof(reader, everybody), ...how }), { maxLength: 30 })
  check(
    fc.property(fc.array(written, { maxLength: 60 }), visits, (list, asked) => {
      const log = new MessageLog(AMPLE, () => 0)
      log.reset({ epoch: 'e1', entries: [], head: 0, trimmedThrough: 0 })
      const unapplied = entriesOf(list)
      const applied: Entry[] = []
      for (const { who, cursor, applied: count, name } of asked) {
        for (const entry of unapplied.splice(0, count)) {
          log.apply(entry)
          applied.push(entry)
        }
        const one = { ...who, publicToken: name }
        const from = Math.min(cursor, log.head)
        const { messages } = log.read(one, at(from), Number.POSITIVE_INFINITY)
        expect(messages).toEqual(addressed(applied, one, Math.max(from, one.floor)))
      }
    }),
  )
})

test('Reading on from through, in whatever cuts and while more is written, gives every addressed message once', () => {
  const cuts = fc.array(fc.record({ maxBytes: fc.integer({ min: 1, max: 1000 }), applied: fc.nat(4) }), {
    maxLength: 40,
  })
  check(
    fc.property(fc.array(written, { maxLength: 60 }), reader, cuts, (list, ann, steps) => {
      const log = new MessageLog(AMPLE, () => 0)
      const entries = entriesOf(list)
      log.reset({ epoch: 'e1', entries: [], head: 0, trimmedThrough: 0 })
      const unapplied = [...entries]
      const got: MessageEntry[] = []
      let through = 0
      const readOn = (maxBytes: number): number => {
        const read = log.read(ann, at(through), maxBytes)
        expect(read.through).toBeLessThanOrEqual(Math.max(log.head, ann.floor))
        got.push(...read.messages)
        // A reader only ever takes a floor that its node has applied.
        through = Math.min(read.through, log.head)
        return read.messages.length
      }
      for (const { maxBytes, applied } of steps) {
        for (const entry of unapplied.splice(0, applied)) log.apply(entry)
        readOn(maxBytes)
      }
      for (const entry of unapplied) log.apply(entry)
      while (readOn(100) > 0);
      expect(got).toEqual(addressed(entries, ann, ann.floor))
    }),
  )
})

test('Whatever was trimmed, nothing above the position of the answer is missing', () => {
  check(
    fc.property(
      fc.array(written, { maxLength: 60 }),
      reader,
      fc.nat(130),
      fc.integer({ min: 1, max: 30 }),
      (list, ann, cursor, messages) => {
        const log = new MessageLog({ ...AMPLE, messages }, () => 0)
        const entries = entriesOf(list)
        log.reset({ epoch: 'e1', entries, head: 0, trimmedThrough: 0 })
        fc.pre(cursor <= log.head)
        const read = log.read(ann, at(cursor), Number.POSITIVE_INFINITY)
        const position = Math.max(cursor, ann.floor)
        expect(read.reset !== undefined).toBe(position < log.trimmedThrough)
        expect(read.messages).toEqual(addressed(entries, ann, read.reset?.messageId ?? position))
      },
    ),
  )
})
