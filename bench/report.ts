import type { GapReport } from './gap-report.ts'
import type { Held, Round } from './hold-and-send.ts'
import type { ProcessCost } from './process-cost.ts'
import { mark, median, table } from './table.ts'

export interface Report {
  readonly polls: number
  /** Node's own server with as many held. */
  readonly raw: Held
  /** The channel before it had a client. */
  readonly empty: ProcessCost
  /** The channel with its clients, without and with their polls. */
  readonly comet: Held
  readonly gaps: GapReport
}

/** What this project promises: see README.md beside this file. */
const MOST_HEAP_BYTES_PER_POLL = 9_000

/** Prints a table. Returns whether all bounds were kept. */
export function printReport(report: Report): boolean {
  const { polls, raw, empty, comet, gaps } = report
  const heap = perPoll(polls, comet.held.heapBytes - comet.before.heapBytes)
  const verdicts = {
    heap: heap <= MOST_HEAP_BYTES_PER_POLL,
    answered: comet.rounds.every(({ answered }) => answered === polls),
    gaps: gaps.isComplete,
    late: gaps.late === 0,
  }
  const [cometCpu, rawCpu] = [comet, raw].map(({ rounds }) =>
    median(rounds.map(({ cpuMicroseconds }) => cpuMicroseconds)),
  )
  const print = table(2)
  print(`${count(polls)} held polls`, ['koa-comet', 'node:http'])
  print(
    'heap per held poll',
    [bytes(heap), bytes(perPoll(polls, raw.held.heapBytes - raw.before.heapBytes))],
    `${mark(verdicts.heap)} at most ${bytes(MOST_HEAP_BYTES_PER_POLL)}`,
  )
  print('heap per held poll and its client', [bytes(perPoll(polls, comet.held.heapBytes - empty.heapBytes))])
  print(
    'resident memory per held poll',
    [comet, raw].map(({ held, before }) => bytes(perPoll(polls, held.residentBytes - before.residentBytes))),
  )
  print(
    `answered by one send, fewest of ${comet.rounds.length} rounds`,
    [comet, raw].map(({ rounds }) => count(fewest(rounds))),
    `${mark(verdicts.answered)} all`,
  )
  print(
    'send to last byte, median',
    [comet, raw].map(({ rounds }) => ms(median(rounds.map(({ spreadMs }) => spreadMs)))),
  )
  print(
    'server CPU per poll and answer, median',
    [microseconds(cometCpu!), microseconds(rawCpu!)],
    ratio(cometCpu!, rawCpu!),
  )
  print(
    'published while no request was held',
    [count(gaps.inGaps)],
    `${mark(verdicts.gaps)} complete, in order, each once`,
  )
  print('of these late', [count(gaps.late)], `${mark(verdicts.late)} none`)
  return Object.values(verdicts).every((holds) => holds)
}

function perPoll(polls: number, bytes: number): number {
  return bytes / polls
}

function fewest(rounds: readonly Round[]): number {
  return Math.min(...rounds.map(({ answered }) => answered))
}

function count(number: number): string {
  return number.toLocaleString('en')
}

function bytes(number: number): string {
  return `${(number / 1000).toFixed(2)} kB`
}

function ms(number: number): string {
  return `${number.toFixed(0)} ms`
}

function microseconds(number: number): string {
  return `${number.toFixed(1)} µs`
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)} times`
}
