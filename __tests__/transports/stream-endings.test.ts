import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { WireMessage } from '../../lib/wire.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites } from '../support/site.ts'
import { ENDINGS, type Ending } from './stream-endings.ts'
import { MOMENTS, type Moment, openStreaming, PAGE, type Streaming } from './streaming-site.ts'

beforeEach(fakeTime)

afterEach(async () => {
  realTime()
  await closeSites()
})

function indexesOf(told: readonly WireMessage[]): number[] {
  return told.flatMap(({ n, c }) => (n === 'M' ? (c as { index: number }).index : []))
}

const RETRY_ALONE = /^retry: \d+$/

/** Whether the stream ended as it should, and its page was told so. */
async function expectEnding({ reader, told, published }: Streaming, end: Ending, isUnbegun: boolean) {
  await eventually(() => reader.ending !== undefined)
  expect(reader.ending).toBe(end.ending)
  expect(RETRY_ALONE.test(reader.lastBlock)).toBe(end.comesAgain)
  const status = isUnbegun ? (end.status ?? 200) : 200
  if (reader.head !== '') expect(reader.status).toBe(status)
  if (end.last && status === 200) expect(told).toContainEqual(expect.objectContaining(end.last))
  if (reader.head !== '' && isUnbegun && !end.spoils)
    expect(reader.head).toMatch(/Set-Cookie: session=saved/i)
  const indexes = indexesOf(told)
  expect(indexes).toEqual(countTo(end.tellsAll ? published() : indexes.length))
}

/** Whether the page has everything in the end, each once. */
async function expectNothingLost({ open, reader, told, publish, published }: Streaming): Promise<void> {
  const again = open(PAGE, reader.cursor)
  await publish(1)
  await eventually(() => indexesOf(told).at(-1) === published())
  const resets = told.filter(({ n }) => n === 'aspNetComet.reset')
  expect([indexesOf(told), resets]).toEqual([countTo(published()), []])
  await again.close()
}

async function expectQuiet({ errors, appErrors, witness }: Streaming, end: Ending, isUnbegun: boolean) {
  await eventually(() => witness.allClosed)
  expect(witness.faults).toEqual([])
  expect(errors.filter((each) => (each as { code?: string }).code !== end.error)).toEqual([])
  // Koa tells of connections that were lost, whoever answers there.
  const lost = end.ending === 'cut' ? ['ECONNRESET', 'EPIPE'] : ['ECONNRESET']
  const others = appErrors.filter((each) => !lost.includes((each as { code?: string }).code ?? ''))
  if (!(isUnbegun && end.spoils)) expect(others).toEqual([])
}

describe.each<Moment>(MOMENTS)('A stream %s', (moment) => {
  test.each(ENDINGS)('ends once when $name', async (each) => {
    const end = moment === 'while its reader stalls' ? { ...each, ...each.ifStalled } : each
    const streaming = await openStreaming(moment)
    const isUnbegun = moment === 'while Koa unwinds'
    try {
      const { reader, told, channel, holds, unwind } = streaming
      await end.act(streaming)
      unwind()
      reader.readOn()
      if (end.after) {
        await eventually(() => told.length > 0)
        await end.after(streaming)
      }
      await expectEnding(streaming, end, isUnbegun)
      if (end.goesOn) await expectNothingLost(streaming)
      await channel.close({ overSeconds: 0 })
      await holds(0)
    } finally {
      await streaming.end()
    }
    await expectQuiet(streaming, end, isUnbegun)
  })
})
