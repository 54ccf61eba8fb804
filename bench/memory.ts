import { NOTE_ON_CORES } from './cores.ts'
import { withinDeadline } from './deadline.ts'
import { environment } from './environment.ts'
import { peersOf } from './peers.ts'
import {
  ATTACHED_POLLS,
  ATTACHED_STREAMS,
  COMET_POLLS,
  COMET_STREAMS,
  KOA_POLLS,
  RAW_POLLS,
  RAW_STREAMS,
} from './programs.ts'
import { publish } from './publish.ts'
import { atMost, type Row, rowOf } from './result.ts'
import { Side, type SidePrograms } from './side.ts'

/** What memory a page takes that is held: an open stream, or a poll that waits. */

const PAGES = 5_000
/** Code that runs for the first time is compiled: that is no cost of a page. */
const WARM_UP_PAGES = 500
const STARTS = 2

/** In kilobytes, of each page. */
async function measure(side: Side): Promise<void> {
  await side.start()
  try {
    await side.open(await side.initialise(WARM_UP_PAGES))
    await side.drop()
    const empty = await side.cost()
    const privateTokens = await side.initialise(PAGES)
    const known = await side.cost()
    await side.open(privateTokens)
    const held = await side.cost()
    const perPage = (bytes: number): number => bytes / 1000 / PAGES
    side.note({
      heap: perPage(held.heapBytes - known.heapBytes),
      heapWithClient: perPage(held.heapBytes - empty.heapBytes),
      resident: perPage(held.residentBytes - empty.residentBytes),
    })
  } finally {
    await side.stop()
  }
}

/** One after another: what one side takes does not depend on what others do meanwhile. */
async function measureAll(programs: readonly SidePrograms[]): Promise<readonly Side[]> {
  const sides = programs.map((each) => new Side(each))
  for (let start = 0; start < STARTS; start++) {
    for (const side of sides) await withinDeadline(measure(side))
  }
  return sides
}

/** With columns for all. */
function rowsOf(sides: readonly Side[], names: readonly string[], page: string): Row[] {
  const columns = names.map(
    (name) => sides.find((side) => side.name === name) ?? { name, valuesOf: () => [] },
  )
  const unit = 'kB'
  return [
    rowOf(columns, { measure: 'heap', what: `heap of a ${page}`, unit, demands: [atMost(9)] }),
    rowOf(columns, { measure: 'heapWithClient', what: `heap of a ${page} and its client`, unit }),
    rowOf(columns, { measure: 'resident', what: `resident memory of both`, unit }),
  ]
}

await publish(async () => {
  const { peers: withPolls, missing } = peersOf('polls')
  const { peers: withStreams } = peersOf('streams')
  const streams = await measureAll([COMET_STREAMS, ATTACHED_STREAMS, RAW_STREAMS, ...withStreams])
  const polls = await measureAll([COMET_POLLS, ATTACHED_POLLS, RAW_POLLS, KOA_POLLS, ...withPolls])
  const names = [...new Set([...polls, ...streams].map(({ name }) => name))]
  return {
    name: 'memory',
    title: `Memory of each of ${PAGES.toLocaleString('en')} pages`,
    sides: names,
    rows: [...rowsOf(streams, names, 'stream'), ...rowsOf(polls, names, 'held poll')],
    notes: [`Medians of ${STARTS} starts.`, NOTE_ON_CORES, ...missing],
    versions: [
      ...environment('koa'),
      ...new Set([...withPolls, ...withStreams].map(({ version }) => version)),
    ],
  }
})
