import type { BareCommitsTasks } from './bare-commits.ts'
import type { ChannelCommitsTasks } from './channel-commits.ts'
import { TaskProcess } from './child-process.ts'
import type { RoundCost } from './commit-round.ts'
import { mark, median, table } from './table.ts'

/**
 * How much of what better-sqlite3 alone can store a channel stores for 100 publishers, and how many SQL statements
 * polls with nothing new take. The sides are processes of their own, and take turns. Ends with 1 if a bound is broken.
 */

const ROUND = {
  publishers: 100,
  messages: 10_000,
  text: 'a message of the length that a line of a chat has',
}
const WARM_UP_ROUNDS = 6
const ROUNDS = 41
const POLLS = 1_000

/** What this project promises: see README.md beside this file. */
const LEAST_RATIO = 0.85

interface Report {
  readonly channel: readonly RoundCost[]
  readonly byName: readonly RoundCost[]
  readonly byPosition: readonly RoundCost[]
  readonly statements: { readonly ofPolls: number; readonly ofOneSend: number }
}

async function measure(): Promise<Report> {
  const bare = new TaskProcess<BareCommitsTasks>(new URL('./bare-commits.js', import.meta.url))
  const channel = new TaskProcess<ChannelCommitsTasks>(new URL('./channel-commits.js', import.meta.url))
  const report = { channel: [] as RoundCost[], byName: [] as RoundCost[], byPosition: [] as RoundCost[] }
  try {
    for (let count = 0; count < WARM_UP_ROUNDS + ROUNDS; count++) {
      report.channel.push(await channel.ask('round', ROUND))
      report.byName.push(await bare.ask('byName', ROUND))
      report.byPosition.push(await bare.ask('byPosition', ROUND))
    }
    for (const rounds of Object.values(report)) rounds.splice(0, WARM_UP_ROUNDS)
    return { ...report, statements: await channel.ask('statements', POLLS) }
  } finally {
    await bare.stop()
    await channel.stop()
  }
}

/** Prints a table. Returns whether all bounds were kept. */
function printReport({ channel, byName, byPosition, statements }: Report): boolean {
  const print = table(3)
  const sides = [channel, byName, byPosition]
  // What slows the disk down for a while slows both sides of a round.
  const ratios = [byName, byPosition].map((rounds) =>
    median(rounds.map((round, index) => channel[index]!.messagesPerSecond / round.messagesPerSecond)),
  )
  const verdicts = {
    ratio: ratios[0]! >= LEAST_RATIO,
    // That a send is counted shows that polls would be.
    polls: statements.ofPolls === 0 && statements.ofOneSend > 0,
  }
  print(`${ROUND.publishers} publishers, synchronous = FULL`, ['koa-comet', 'by name', 'by position'])
  print(
    `messages a second, median of ${ROUNDS} rounds`,
    sides.map((rounds) => thousands(median(rounds.map((round) => round.messagesPerSecond)))),
  )
  print(
    'of these koa-comet has, median of the rounds',
    ['', ...ratios.map((ratio) => ratio.toFixed(2))],
    `${mark(verdicts.ratio)} by name at least ${LEAST_RATIO}`,
  )
  print(
    'CPU per message, median',
    sides.map((rounds) => `${median(rounds.map((round) => round.cpuMicroseconds)).toFixed(1)} µs`),
  )
  print(
    `statements of ${thousands(POLLS)} polls with nothing new`,
    [thousands(statements.ofPolls)],
    `${mark(verdicts.polls)} none`,
  )
  print('statements of one send', [thousands(statements.ofOneSend)])
  return verdicts.ratio && verdicts.polls
}

function thousands(number: number): string {
  return Math.round(number).toLocaleString('en')
}

process.exitCode = printReport(await measure()) ? 0 : 1
