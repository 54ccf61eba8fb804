import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { MessageLog } from '../../lib/message-log.ts'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { type LocalSocket, serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { ResponseWitness } from '../support/response-witness.ts'
import { printedSeed } from '../support/seed.ts'
import { closeSites, openSite } from '../support/site.ts'
import { type Act, pickByWeight } from '../support/weighted.ts'
import { StubbornPage } from './stubborn-page.ts'

let local: LocalSocket

beforeEach(fakeTime)
afterEach(async () => {
  jest.restoreAllMocks()
  realTime()
  await closeSites()
})

const STEPS = 600
const PADDING = 'x'.repeat(10_000)

/** What was sent, and to whom: everybody, or one client. */
interface Sent {
  readonly mid: number
  readonly to: string | undefined
}

/** What a page misses, doubles or has in a wrong order, of what was sent since its beginning until its last message. */
function faultOf(page: StubbornPage, sent: readonly Sent[]): string | undefined {
  const { seen, resets, start = Number.POSITIVE_INFINITY, last, publicToken } = page
  const isExcused = (mid: number): boolean =>
    resets.some(({ after, through }) => after < mid && mid <= through)
  const expected = sent
    .filter(({ mid, to }) => mid > start && mid <= last && (to === undefined || to === publicToken))
    .map(({ mid }) => mid)
    .filter((mid) => seen.includes(mid) || !isExcused(mid))
    .toSorted((one, other) => one - other)
  return JSON.stringify(expected) === JSON.stringify(seen)
    ? undefined
    : `${publicToken} has seen ${seen}, not ${expected}`
}

async function turns(count: number): Promise<void> {
  for (const _ of countTo(count)) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets everything happen to the streams of ten clients that can, in an order that follows from the seed. */
async function interleave(
  seed: number,
): Promise<{ pages: StubbornPage[]; sent: Sent[]; counts: Record<string, number> }> {
  const random = new SeededRandom(seed)
  const witness = new ResponseWitness()
  const gate = new GatedProvider(new InProcCometStateProvider())
  const site = await openSite({
    provider: gate,
    options: { retention: { seconds: 3600 } },
    before: [
      witness.middleware,
      async (ctx, next) => {
        await next()
        await turns(random.below(4))
        ctx.cookies.set('session', 'saved')
      },
    ],
  })
  local = await serveLocally(site.served.app)
  const { channel } = site
  const pages: StubbornPage[] = []
  const sent: Sent[] = []
  const counts: Record<string, number> = {}
  const clients: { publicToken: string; privateToken: string }[] = []
  const begin = async (): Promise<void> => {
    const client = await site.newClient()
    clients.push(client)
    pages.push(new StubbornPage(local.where, client, `page-${pages.length}`))
  }
  const send = async (to?: string): Promise<void> => {
    const contents = random.chance(30) ? PADDING : null
    await channel.sendMessage('M', contents, to === undefined ? {} : { to }).then(
      (mid) => sent.push({ mid, to }),
      // The store is out of reach, or its receiver is no more.
      () => {},
    )
  }
  /** None when all were stopped while the store was away, where no client begins. */
  const living = (): StubbornPage | undefined => random.pick(pages.filter(({ isOver }) => !isOver))
  const open = () => witness.responses.filter(({ closed }) => !closed)
  let isAway = false
  const acts: readonly Act[] = [
    [30, 'send', () => Promise.all(countTo(1 + random.below(8)).map(() => send()))],
    [15, 'send to one', () => send(living()?.publicToken)],
    [12, 'stall', () => living()?.stall()],
    [10, 'read on', () => living()?.readOn()],
    [4, 'cut', () => living()?.cut()],
    [4, 'ask again', () => living()?.ask()],
    [
      2,
      'take over',
      () => {
        const client = random.pick(clients)
        pages.push(new StubbornPage(local.where, client, `page-${pages.length}`))
      },
    ],
    [3, 'destroy', () => random.pick(open())?.destroy()],
    [2, 'end', () => random.pick(open())?.end()],
    [5, 'pass time', () => passSeconds(random.pick([1, 15, 40]))],
    [1, 'rotate', () => passSeconds(300)],
    [1, 'lose log', () => (isAway ? undefined : gate.loseLog())],
    [
      1,
      'go away',
      () => {
        isAway = true
        gate.goAway()
      },
    ],
    [
      4,
      'come back',
      () => {
        isAway = false
        gate.comeBack()
      },
    ],
    [
      1,
      'stop',
      async () => {
        const page = living()
        if (page) await channel.stopClient(page.publicToken).catch(() => {})
        await begin().catch(() => {})
      },
    ],
  ]
  for (const _ of countTo(10)) await begin()
  for (const _ of countTo(STEPS)) {
    const [, name, act] = pickByWeight(random, acts)
    counts[name] = (counts[name] ?? 0) + 1
    await act()
    await turns(random.below(6))
    if (open().some(({ socket }) => socket?.writableNeedDrain)) counts.choked = (counts.choked ?? 0) + 1
  }
  gate.comeBack()
  for (const page of pages) page.readOn()
  // What was sent while nobody could be reached comes before this.
  await eventually(() => pages.every(({ isOver, start }) => isOver || start !== undefined))
  await send()
  const { mid } = sent.at(-1)!
  await eventually(() => pages.every(({ isOver, last }) => isOver || last === mid))
  await channel.close({ overSeconds: 0 })
  for (const page of pages) await page.leave()
  await local.close()
  await eventually(() => witness.allClosed)
  expect(channel.stats().heldRequests).toBe(0)
  expect(witness.faults).toEqual([])
  return { pages, sent, counts }
}

test('Whatever happens to streams in whatever order, each ends once, and its page has it all in order or was told', async () => {
  const seed = printedSeed('interleavings of streams')
  const { pages, sent, counts } = await interleave(seed)
  const seen = pages.reduce((sum, page) => sum + page.seen.length, 0)
  const resets = pages.reduce((sum, page) => sum + page.resets.length, 0)
  process.stdout.write(
    `${sent.length} sent, ${seen} seen by ${pages.length} pages, ${resets} resets: ${JSON.stringify(counts)}\n`,
  )
  expect(pages.map((page) => faultOf(page, sent)).filter((fault) => fault !== undefined)).toEqual([])
  // No more than the test itself has brought about.
  const lost = counts['lose log'] ?? 0
  const overly = pages.filter(({ resetsOfNewest }) => resetsOfNewest > lost)
  expect(overly.map(({ publicToken, resets }) => [publicToken, resets])).toEqual([])
}, 60_000)

test('A log that leaves out a message now and then is found out', async () => {
  const read = MessageLog.prototype.read
  jest.spyOn(MessageLog.prototype, 'read').mockImplementation(function (this: MessageLog, ...details) {
    const result = read.apply(this, details)
    return result.messages.length > 5 ? { ...result, messages: result.messages.toSpliced(2, 1) } : result
  })
  const { pages, sent } = await interleave(7)
  expect(pages.some((page) => faultOf(page, sent) !== undefined)).toBe(true)
}, 60_000)
