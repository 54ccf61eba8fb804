import { type Growth, seriesOf } from './growth-of.ts'
import { median } from './median.ts'
import type { OtherLoad } from './other-load.ts'
import { ATTACHED_POLLS, COMET_POLLS, COMET_STREAMS, RAW_POLLS, RAW_STREAMS } from './programs.ts'
import { passQuickAcks } from './quick-acks.ts'
import { TEXT } from './sends.ts'
import { Side, type SidePrograms } from './side.ts'
import { takeTurns } from './turns.ts'
import { warmUp } from './warm-up.ts'

/** What a message to all costs the server for each page, by the number of pages. */

const PAGES = [100, 1_000, 5_000, 10_000]
/** To all pages of a side together, in each round; of few pages less, since each message is waited for. */
const DELIVERIES = 10_000
const MOST_MESSAGES = 50
const COURSE = { starts: 1, warmUpRounds: 4, rounds: 5 }
const MEASURE = 'perDelivery'

/** How messages are sent to all. */
interface Sending {
  /** What comes before in each round, and is not measured. */
  prepare(side: Side): Promise<unknown>
  send(side: Side, messages: number): Promise<void>
}

const TO_POLLS: Sending = {
  prepare: async () => {},
  /** Each poll is answered by one message: the next is sent when all poll again. */
  send: async (side, messages) => {
    for (let sent = 0; sent < messages; sent++) await side.broadcast({ count: 1, together: 1, text: TEXT })
  },
}

const TO_STREAMS: Sending = {
  prepare: passQuickAcks,
  send: (side, messages) => side.broadcast({ count: messages, together: 1, text: TEXT }),
}

const KINDS: readonly (readonly [name: string, programs: SidePrograms, sending: Sending])[] = [
  ['polls', COMET_POLLS, TO_POLLS],
  ['polls attached', ATTACHED_POLLS, TO_POLLS],
  ['polls, node:http', RAW_POLLS, TO_POLLS],
  ['streams', COMET_STREAMS, TO_STREAMS],
  ['streams, node:http', RAW_STREAMS, TO_STREAMS],
]

/** Microseconds of each kind. */
async function measureAt(pages: number, otherLoad: OtherLoad): Promise<number[]> {
  const sides = KINDS.map(([, programs]) => new Side(programs))
  const sendings = new Map(sides.map((side, index) => [side, KINDS[index]![2]]))
  const messages = Math.min(DELIVERIES / pages, MOST_MESSAGES)
  const course = {
    ...COURSE,
    open: async (side: Side) => {
      await warmUp(side)
      await side.open(await side.initialise(pages))
    },
    round: async (side: Side) => {
      const sending = sendings.get(side)!
      await sending.prepare(side)
      const cpu = await side.cpuOf(() => sending.send(side, messages))
      return { [MEASURE]: cpu / (messages * pages) }
    },
  }
  await takeTurns(sides, course, otherLoad)
  return sides.map((side) => median(side.valuesOf(MEASURE)))
}

export async function growthOfDeliveries(otherLoad: OtherLoad): Promise<Growth> {
  const measured = new Map<number, number[]>()
  for (const pages of PAGES) measured.set(pages, await measureAt(pages, otherLoad))
  return {
    name: 'growth-deliveries',
    title: 'Server CPU of a message to all, for each page',
    xLabel: 'pages',
    unit: 'µs',
    series: KINDS.map(([name], index) => seriesOf(name, measured, index)),
  }
}
