import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Browser } from 'playwright-core'
import { type EventBlock, formatBlock } from '../../lib/transports/event-stream-format.ts'
import type { WireMessage } from '../../lib/wire.ts'
import { anyCharacter } from '../support/any-character.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { RawStream } from '../support/raw-stream.ts'
import { printedSeed } from '../support/seed.ts'
import { serve } from '../support/serve.ts'
import { closeSites, openSite } from '../support/site.ts'
import { eventBlocks, expectedOf, readByParser } from './event-blocks.ts'

afterEach(closeSites)

const HTML = '<!doctype html><title>Reader</title>'

interface SeenEvent {
  readonly id: string
  readonly data: string
}

/** The events of a stream as the HTML standard has them: an id stays until another comes. */
function expectedEvents(blocks: readonly EventBlock[]): SeenEvent[] {
  let last = ''
  return blocks.flatMap((block) => {
    const [event] = expectedOf([{ id: '', data: '', ...block }]).events
    if (block.id !== undefined) last = event!.id!
    return block.data === undefined ? [] : { id: last, data: event!.data }
  })
}

describe('In Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  /** What Chromium's EventSource makes of a text. */
  async function readByChromium(text: string): Promise<SeenEvent[]> {
    const served = await serve((ctx) => {
      ctx.type = ctx.path === '/' ? 'html' : 'text/event-stream'
      ctx.body = ctx.path === '/' ? HTML : text
    })
    const page = await browser.newPage()
    try {
      await page.goto(served.origin)
      return await page.evaluate(
        () =>
          new Promise<SeenEvent[]>((resolve) => {
            const seen: SeenEvent[] = []
            const source = new EventSource('/stream')
            source.onmessage = ({ lastEventId, data }) => seen.push({ id: lastEventId, data })
            source.addEventListener('last', () => {
              source.close()
              resolve(seen)
            })
          }),
      )
    } finally {
      await page.close()
      await served.close()
    }
  }

  const LAST = 'event: last\ndata: x\n\n'

  testInChromium('a native EventSource reads back what the fields of blocks hold', async () => {
    const seed = printedSeed('blocks read by Chromium')
    const blocks = fc.sample(eventBlocks, { seed, numRuns: 100 }).flat()
    // None that would make it wait before it asks again.
    const asked = blocks.map((block) => (block.retryMs === undefined ? block : { ...block, retryMs: 1 }))
    const expected = expectedEvents(blocks)
    expect(expected.length).toBeGreaterThan(150)
    expect(await readByChromium(asked.map(formatBlock).join('') + LAST)).toEqual(expected)
  })

  testInChromium('it finds a formatter wrong that does not split at CR', async () => {
    const blocks = [{ id: '1', data: 'one\rdata: two' }]
    const planted = 'id: 1\ndata: one\rdata: two\n\n'
    expect(await readByChromium(formatBlock(blocks[0]!) + LAST)).toEqual(expectedEvents(blocks))
    expect(await readByChromium(planted + LAST)).not.toEqual(expectedEvents(blocks))
  })
})

describe('A stream of a real channel', () => {
  /** Contents that JSON can hold, texts of all code points among them. */
  const contents = fc.jsonValue({ maxDepth: 3, stringUnit: anyCharacter })
  const strange = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    '\0',
    '\u2028\u2029',
    '\ufeff',
    '\ud800',
    '\n\nid: x:1\n',
  )

  test('is read alike by us and by eventsource-parser, whatever is sent', async () => {
    const seed = printedSeed('messages of a stream')
    const sent = fc.sample(fc.oneof(contents, strange, fc.constantFrom('', 'x'.repeat(9000))), {
      seed,
      numRuns: 300,
    })
    const { channel, url, newClient } = await openSite()
    const { privateToken } = await newClient()
    const stream = await RawStream.open(url, privateToken)
    // Some come together, some alone.
    for (let at = 0; at < sent.length; at += 7) {
      await Promise.all(sent.slice(at, at + 7).map((each, index) => channel.sendMessage(`M${index}`, each)))
    }
    await stream.until(({ messages }) => messages.length === sent.length)
    const { events, errors } = readByParser(stream.text, 1000)
    const read = events.map(({ data }) => JSON.parse(data) as WireMessage)
    expect(errors).toEqual([])
    expect(read).toEqual(stream.told)
    expect(read.slice(1).map(({ c }) => c)).toEqual(sent.map((each) => JSON.parse(JSON.stringify(each))))
    const ids = stream.blocks.flatMap(({ id, data }) => (data === undefined ? [] : [id]))
    expect(events.map(({ id }) => id)).toEqual(ids)
    expect(ids.slice(1)).toEqual(stream.messages.map(({ mid }) => `${channel.cursor().epoch}:${mid}`))
  })
})
