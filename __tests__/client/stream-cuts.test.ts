import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { array, assert, asyncProperty, constantFrom, nat } from 'fast-check'
import { CometChannel } from '../../client/index.ts'
import { withoutJitter } from './harness.ts'

beforeEach(withoutJitter)
afterEach(() => {
  jest.restoreAllMocks()
})

/** One line of the wire in each way that a server may write it, with characters of all lengths. */
const NAMES = ['News', 'Ünïcödé', '€', '😀', 'a\nb', 'data: x\n\n', '\u2028']

function messageBlock(mid: number): string {
  const n = NAMES[mid % NAMES.length]!
  return `id: e1:${mid}\ndata: ${JSON.stringify({ mid, n, c: { mid, n } })}\n\n`
}

const OPENED = `:${' '.repeat(40)}\nretry: 3000\ndata: {"mid":0,"n":"aspNetComet.opened","c":{"keepAliveSeconds":15}}\n\n`

/** A server whose log has messages 1 to `count`; each stream is cut after the next number of bytes. */
function cuttingServer(count: number, cuts: readonly number[], pieceBytes: number) {
  let streams = 0
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    const headers = new Headers(init?.headers)
    const after = Number(headers.get('Last-Event-ID')?.split(':')[1] ?? 0)
    const all = Array.from({ length: count - after }, (_each, index) => messageBlock(after + index + 1))
    const isWhole = streams >= cuts.length
    const bytes = new TextEncoder().encode(`${OPENED}${all.join('')}id: e1:${count}\n\n`)
    const sent = isWhole ? bytes : bytes.subarray(0, cuts[streams]! % bytes.length)
    streams += 1
    let from = 0
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (from < sent.length) controller.enqueue(sent.slice(from, from + pieceBytes))
      else if (!isWhole) controller.error(new TypeError('cut'))
      from += pieceBytes
      return from - pieceBytes >= sent.length && isWhole ? new Promise<void>(() => {}) : undefined
    }
    return new Response(new ReadableStream({ pull }), { headers: { 'Content-Type': 'text/event-stream' } })
  }
  return { fetch, streams: () => streams }
}

/** What a handler is given, over all cuts, and how many streams that took. */
async function receive(count: number, cuts: readonly number[], pieceBytes: number) {
  const { fetch, streams } = cuttingServer(count, cuts, pieceBytes)
  const stop = new AbortController()
  const channel = new CometChannel('http://127.0.0.1/comet', 'given-private-token-1234', 'default', {
    fetch,
    storage: null,
    signal: stop.signal,
    transports: ['streaming'],
  })
  const got: number[] = []
  const resets: unknown[] = []
  channel.addEventListener('reset', (event) => resets.push(event))
  await new Promise<void>((resolve) => {
    channel.addSuccessHandler((_token, _alias, { mid, n, c }) => {
      expect(c).toEqual({ mid, n: NAMES[mid % NAMES.length] })
      expect(n).toBe(NAMES[mid % NAMES.length])
      got.push(mid)
      if (mid === count) resolve()
    })
    channel.subscribe()
  })
  stop.abort()
  expect(resets).toEqual([])
  return { got, streams: streams() }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_each, index) => index + 1)
}

test('messages come once, in order, wherever a stream is cut: after each of its bytes', async () => {
  const length = new TextEncoder().encode(`${OPENED}${upTo(7).map(messageBlock).join('')}id: e1:7\n\n`).length
  for (let cut = 0; cut < length; cut += 1) {
    const { got, streams } = await receive(7, [cut], 16)
    expect([cut, got]).toEqual([cut, upTo(7)])
    expect(streams).toBeGreaterThanOrEqual(1)
  }
}, 60_000)

test('messages come once, in order, over any cuts, in whatever pieces the streams come', async () => {
  await assert(
    asyncProperty(
      nat(30),
      array(nat(5000), { maxLength: 5 }),
      constantFrom(1, 2, 3, 17, 64, 4096),
      async (more, cuts, pieceBytes) => {
        const { got } = await receive(more + 1, cuts, pieceBytes)
        expect(got).toEqual(upTo(more + 1))
      },
    ),
    { numRuns: 100 },
  )
}, 60_000)
