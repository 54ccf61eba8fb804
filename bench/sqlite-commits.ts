import type { BareCommitsTasks } from './bare-commits.ts'
import type { ChannelCommitsTasks } from './channel-commits.ts'
import { TaskProcess } from './child-process.ts'
import type { RoundCost } from './commit-round.ts'
import { environment } from './environment.ts'
import { OtherLoad } from './other-load.ts'
import { publish } from './publish.ts'
import { atLeast, OURS, type Row, rowOf } from './result.ts'
import { TEXT } from './sends.ts'

/**
 * How much of what better-sqlite3 alone can store a channel stores for 100 publishers, and how many SQL statements
 * polls with nothing new take. The sides are processes of their own, and take turns.
 */

const ROUND = { publishers: 100, messages: 10_000, text: TEXT }
const WARM_UP_ROUNDS = 6
const ROUNDS = 41
const POLLS = 1_000

const BY_NAME = 'by name'
const BY_POSITION = 'by position'

interface Measured {
  /** Of each round, by the names of the sides. */
  readonly rounds: Readonly<Record<string, readonly RoundCost[]>>
  readonly statements: { readonly ofPolls: number; readonly ofOneSend: number }
}

async function measure(otherLoad: OtherLoad): Promise<Measured> {
  const bare = new TaskProcess<BareCommitsTasks>(new URL('./bare-commits.js', import.meta.url))
  const channel = new TaskProcess<ChannelCommitsTasks>(new URL('./channel-commits.js', import.meta.url))
  const rounds = { [OURS]: [] as RoundCost[], [BY_NAME]: [] as RoundCost[], [BY_POSITION]: [] as RoundCost[] }
  const round = async (): Promise<void> => {
    rounds[OURS]!.push(await channel.ask('round', ROUND))
    rounds[BY_NAME]!.push(await bare.ask('byName', ROUND))
    rounds[BY_POSITION]!.push(await bare.ask('byPosition', ROUND))
  }
  try {
    for (let count = 0; count < WARM_UP_ROUNDS; count++) await round()
    for (const each of Object.values(rounds)) each.length = 0
    for (let count = 0; count < ROUNDS; count++) await otherLoad.during(round)
    return { rounds, statements: await channel.ask('statements', POLLS) }
  } finally {
    await bare.stop()
    await channel.stop()
  }
}

function rowsOf({ rounds, statements }: Measured): Row[] {
  const sides = Object.entries(rounds).map(([name, costs]) => ({
    name,
    valuesOf: (what: string) => costs.map((cost) => cost[what as keyof RoundCost]),
  }))
  // That a send is counted shows that polls would be.
  const isNone = statements.ofPolls === 0 && statements.ofOneSend > 0
  const polls = POLLS.toLocaleString('en')
  return [
    rowOf(sides, {
      measure: 'messagesPerSecond',
      what: 'messages a second',
      unit: '/s',
      ratioTo: BY_NAME,
      demands: [atLeast(0.85)],
    }),
    rowOf(sides, { measure: 'cpuMicroseconds', what: 'CPU of a message', unit: 'µs' }),
    {
      what: `statements of ${polls} polls with nothing new`,
      unit: '',
      values: [statements.ofPolls, null, null],
      bounds: [{ text: 'none', holds: isNone }],
    },
    { what: 'statements of one send', unit: '', values: [statements.ofOneSend, null, null], bounds: [] },
  ]
}

await publish(async () => {
  const otherLoad = new OtherLoad()
  const measured = await measure(otherLoad)
  return {
    name: 'sqlite-commits',
    title: `${ROUND.publishers} publishers, synchronous = FULL`,
    sides: Object.keys(measured.rounds),
    rows: rowsOf(measured),
    notes: [
      `Medians of ${ROUNDS} rounds, after ${WARM_UP_ROUNDS} to warm up. No process is pinned to a core.`,
      ...otherLoad.notes(),
    ],
    versions: environment('better-sqlite3'),
  }
})
