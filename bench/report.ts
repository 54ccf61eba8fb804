import type { GapReport } from './gap-report.ts'
import type { Held, Round } from './hold-and-send.ts'
import type { ProcessCost } from './process-cost.ts'

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

type Line = readonly [what: string, channel: string, node: string, verdict: string]

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
  const lines: Line[] = [
    [`${count(polls)} held polls`, 'koa-comet', 'node:http', ''],
    [
      'heap per held poll',
      bytes(heap),
      bytes(perPoll(polls, raw.held.heapBytes - raw.before.heapBytes)),
      `${mark(verdicts.heap)} at most ${bytes(MOST_HEAP_BYTES_PER_POLL)}`,
    ],
    [
      'heap per held poll and its client',
      bytes(perPoll(polls, comet.held.heapBytes - empty.heapBytes)),
      '',
      '',
    ],
    [
      'resident memory per held poll',
      bytes(perPoll(polls, comet.held.residentBytes - comet.before.residentBytes)),
      bytes(perPoll(polls, raw.held.residentBytes - raw.before.residentBytes)),
      '',
    ],
    [
      `answered by one send, fewest of ${comet.rounds.length} rounds`,
      count(fewest(comet.rounds)),
      count(fewest(raw.rounds)),
      `${mark(verdicts.answered)} all`,
    ],
    [
      'send to last byte, median',
      ms(median(comet.rounds, 'spreadMs')),
      ms(median(raw.rounds, 'spreadMs')),
      '',
    ],
    [
      'server CPU per poll and answer, median',
      microseconds(median(comet.rounds, 'cpuMicroseconds')),
      microseconds(median(raw.rounds, 'cpuMicroseconds')),
      ratio(median(comet.rounds, 'cpuMicroseconds'), median(raw.rounds, 'cpuMicroseconds')),
    ],
    [
      'published while no request was held',
      count(gaps.inGaps),
      '',
      `${mark(verdicts.gaps)} complete, in order, each once`,
    ],
    ['of these late', count(gaps.late), '', `${mark(verdicts.late)} none`],
  ]
  for (const line of lines) print(line)
  return Object.values(verdicts).every((holds) => holds)
}

function print([what, channel, node, verdict]: Line): void {
  console.log(`${what.padEnd(44)}${channel.padStart(12)}${node.padStart(12)}  ${verdict}`.trimEnd())
}

function perPoll(polls: number, bytes: number): number {
  return bytes / polls
}

function median(rounds: readonly Round[], of: 'spreadMs' | 'cpuMicroseconds'): number {
  const values = rounds.map((round) => round[of]).sort((one, other) => one - other)
  return values[Math.floor(values.length / 2)]!
}

function fewest(rounds: readonly Round[]): number {
  return Math.min(...rounds.map(({ answered }) => answered))
}

function mark(holds: boolean): string {
  return holds ? 'ok' : 'FAILED'
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
