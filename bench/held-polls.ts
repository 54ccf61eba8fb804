import { TaskProcess } from './child-process.ts'
import type { CometServerTasks } from './comet-server.ts'
import { withinDeadline } from './deadline.ts'
import { type GapReport, reportGaps } from './gap-report.ts'
import { type Held, holdAndSend } from './hold-and-send.ts'
import type { LoadGeneratorTasks } from './load-generator.ts'
import type { RawServerTasks } from './raw-server.ts'
import { printReport, type Report } from './report.ts'

/**
 * What held polls cost, whether one send answers them all, and whether messages between two polls arrive. Servers
 * and pages are processes of their own. Ends with 1 if a bound is broken.
 */

const POLLS = 10_000
const ROUNDS = 5
/** Code that runs for the first time is compiled: that is no cost of a poll. */
const WARM_UP = { polls: 500, rounds: 5 }
const GAP_MESSAGES = 2_000

async function measure(): Promise<Report> {
  const load = new TaskProcess<LoadGeneratorTasks>(new URL('./load-generator.js', import.meta.url))
  try {
    const raw = await measureRaw(load)
    const comet = await measureComet(load)
    const gaps = await measureGaps(load)
    return { polls: POLLS, raw, ...comet, gaps }
  } finally {
    await load.stop()
  }
}

async function measureRaw(load: TaskProcess<LoadGeneratorTasks>): Promise<Held> {
  const server = new TaskProcess<RawServerTasks>(new URL('./raw-server.js', import.meta.url))
  try {
    const port = await server.ask('listen')
    // As long as real ones: what a request says is kept with it.
    const tokens = Array.from({ length: POLLS }, () => 't'.repeat(43))
    await holdAndSend(server, load, port, tokens.slice(0, WARM_UP.polls), WARM_UP.rounds)
    return await holdAndSend(server, load, port, tokens, ROUNDS)
  } finally {
    await server.stop()
  }
}

async function measureComet(load: TaskProcess<LoadGeneratorTasks>): Promise<Pick<Report, 'empty' | 'comet'>> {
  const server = startCometServer()
  try {
    const port = await server.ask('listen')
    await holdAndSend(server, load, port, await server.ask('initialise', WARM_UP.polls), WARM_UP.rounds)
    const empty = await server.ask('cost')
    const tokens = await server.ask('initialise', POLLS)
    return { empty, comet: await holdAndSend(server, load, port, tokens, ROUNDS) }
  } finally {
    await server.stop()
  }
}

async function measureGaps(load: TaskProcess<LoadGeneratorTasks>): Promise<GapReport> {
  const server = startCometServer()
  try {
    await load.ask('beginGaps', await server.ask('listen'))
    const published = await server.ask('publishIntoGaps', GAP_MESSAGES)
    return reportGaps(published, await load.ask('deliveredInGaps'))
  } finally {
    await server.stop()
  }
}

function startCometServer(): TaskProcess<CometServerTasks> {
  return new TaskProcess(new URL('./comet-server.js', import.meta.url))
}

try {
  process.exitCode = printReport(await withinDeadline(measure())) ? 0 : 1
} catch (error) {
  console.error(error)
  // What is still running would wait for what never comes.
  process.exit(1)
}
