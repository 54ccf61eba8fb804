import { TaskProcess } from './child-process.ts'
import type { CometServerTasks } from './comet-server.ts'
import { CORES, NOTE_ON_CORES } from './cores.ts'
import { withinDeadline } from './deadline.ts'
import { environment } from './environment.ts'
import { type GapReport, reportGaps } from './gap-report.ts'
import { holdAndSend, type PollServerTasks, type Round } from './hold-and-send.ts'
import type { LoadGeneratorTasks } from './load-generator.ts'
import { COMET_POLLS, RAW_POLLS } from './programs.ts'
import { publish } from './publish.ts'
import { RAW, type Row, rowOf } from './result.ts'
import type { SidePrograms } from './side.ts'

/** Whether one send answers ten thousand held polls, and whether messages between two polls arrive. */

const POLLS = 10_000
const ROUNDS = 5
/** Code that runs for the first time is compiled: that is no cost of a poll. */
const WARM_UP = { polls: 500, rounds: 5 }
const GAP_MESSAGES = 2_000

type Load = TaskProcess<LoadGeneratorTasks>

async function measureHeld({ server: module }: SidePrograms, load: Load): Promise<Round[]> {
  const server = new TaskProcess<PollServerTasks>(module, [], CORES?.server)
  try {
    const port = await server.ask('listen')
    await holdAndSend(server, load, port, await server.ask('initialise', WARM_UP.polls), WARM_UP.rounds)
    return await holdAndSend(server, load, port, await server.ask('initialise', POLLS), ROUNDS)
  } finally {
    await server.stop()
  }
}

async function measureGaps(load: Load): Promise<GapReport> {
  const server = new TaskProcess<CometServerTasks>(COMET_POLLS.server, [], CORES?.server)
  try {
    await load.ask('beginGaps', await server.ask('listen'))
    const published = await server.ask('publishIntoGaps', GAP_MESSAGES)
    return reportGaps(published, await load.ask('deliveredInGaps'))
  } finally {
    await server.stop()
  }
}

/** Counts of this project alone. */
function count(what: string, value: number, text: string, holds: boolean): Row {
  return { what, unit: '', values: [value, null], bounds: [{ text, holds }] }
}

function rowsOf(comet: readonly Round[], raw: readonly Round[], gaps: GapReport): Row[] {
  const sides = Object.entries({ [COMET_POLLS.name]: comet, [RAW]: raw }).map(([name, rounds]) => ({
    name,
    valuesOf: (measure: string) => rounds.map((round) => round[measure as keyof Round]),
  }))
  const fewest = [comet, raw].map((rounds) => Math.min(...rounds.map(({ answered }) => answered)))
  return [
    {
      what: 'answered by one send, fewest of the rounds',
      unit: '',
      values: fewest,
      bounds: [{ text: 'all', holds: fewest[0] === POLLS }],
    },
    rowOf(sides, { measure: 'spreadMs', what: 'send to last byte', unit: 'ms' }),
    rowOf(sides, {
      measure: 'cpuMicroseconds',
      what: 'server CPU of a poll and its answer',
      unit: 'µs',
      ratioTo: RAW,
    }),
    count(
      'published while no request was held',
      gaps.inGaps,
      'complete, in order, each once',
      gaps.isComplete,
    ),
    count('of these late', gaps.late, 'none', gaps.late === 0),
  ]
}

await publish(async () => {
  const load: Load = new TaskProcess(new URL('./load-generator.js', import.meta.url), [], CORES?.load)
  try {
    const raw = await withinDeadline(measureHeld(RAW_POLLS, load))
    const comet = await withinDeadline(measureHeld(COMET_POLLS, load))
    const gaps = await withinDeadline(measureGaps(load))
    return {
      name: 'held-polls',
      title: `${POLLS.toLocaleString('en')} held polls`,
      sides: [COMET_POLLS.name, RAW],
      rows: rowsOf(comet, raw, gaps),
      notes: [`Medians of ${ROUNDS} rounds, which do not take turns.`, NOTE_ON_CORES],
      versions: environment('koa'),
    }
  } finally {
    await load.stop()
  }
})
