import { leaveServersCore } from './cores.ts'
import { withinDeadline } from './deadline.ts'
import { GrowthChannel } from './growth-channel.ts'
import { type Growth, seriesOf } from './growth-of.ts'
import { median } from './median.ts'
import type { OtherLoad } from './other-load.ts'

/** What a send costs the server, by the number of clients that it knows, and of groups. */

const CLIENTS = [10, 1_000, 100_000]
const GROUPS = [100, 1_000, 10_000]
const MEMBERS = 10
const WARM_UP_ROUNDS = 8
const ROUNDS = 11

/** A channel of some size, and what is measured of it: a value for each series. */
interface Sized {
  readonly size: number
  readonly channel: GrowthChannel
  readonly measure: () => Promise<number[]>
  /** What was measured so far. */
  readonly rounds: number[][]
}

async function withClients(size: number): Promise<Sized> {
  const channel = new GrowthChannel()
  await channel.open((server) => server.ask('know', size))
  const measure = async () => [await channel.toWaiting(), await channel.toAll(), await channel.toAbsent(size)]
  return { size, channel, measure, rounds: [] }
}

async function withGroups(size: number): Promise<Sized> {
  const channel = new GrowthChannel()
  await channel.open((server) => server.ask('knowGroups', { count: size, members: MEMBERS }))
  return { size, channel, measure: async () => [await channel.toGroup()], rounds: [] }
}

/** Measures all in alternating rounds. */
async function measureAll(all: readonly Sized[], otherLoad: OtherLoad): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const { measure } of all) await measure()
  }
  for (let round = 0; round < ROUNDS; round++) {
    await otherLoad.during(async () => {
      for (const { rounds, measure } of all) rounds.push(await measure())
    })
  }
}

/** By their sizes, the medians of each series. */
function mediansOf(all: readonly Sized[]): Map<number, number[]> {
  return new Map(
    all.map(({ size, rounds }) => [
      size,
      rounds[0]!.map((_, index) => median(rounds.map((each) => each[index]!))),
    ]),
  )
}

/** The growth, and what channels take to which nothing is sent. */
export async function growthOfSends(otherLoad: OtherLoad): Promise<{ growth: Growth; idle: string }> {
  leaveServersCore()
  const byClients: Sized[] = []
  const byGroups: Sized[] = []
  try {
    return await withinDeadline(measureGrowth(byClients, byGroups, otherLoad))
  } finally {
    for (const { channel } of [...byClients, ...byGroups]) await channel.stop()
  }
}

/** @param byClients are put here when they are made, to be stopped; `byGroups` too */
async function measureGrowth(
  byClients: Sized[],
  byGroups: Sized[],
  otherLoad: OtherLoad,
): Promise<{ growth: Growth; idle: string }> {
  for (const size of CLIENTS) byClients.push(await withClients(size))
  for (const size of GROUPS) byGroups.push(await withGroups(size))
  await measureAll([...byClients, ...byGroups], otherLoad)
  const idle = await Promise.all(byClients.map(({ channel }) => channel.idle()))
  const [clients, groups] = [byClients, byGroups].map(mediansOf)
  const growth = {
    name: 'growth-sends',
    title: 'Server CPU of a send',
    xLabel: 'clients known, or groups',
    unit: 'µs',
    series: [
      seriesOf('to one waiting', clients!, 0),
      seriesOf('to all, each waiting', clients!, 1),
      seriesOf('to one away', clients!, 2),
      seriesOf('to a group, one waiting', groups!, 0),
    ],
  }
  return { growth, idle: noteOnIdle(idle) }
}

function noteOnIdle(idle: readonly number[]): string {
  const figures = idle.map(
    (value, index) => `${(value / 1000).toFixed(1)} ms with ${CLIENTS[index]!.toLocaleString('en')} clients`,
  )
  return `While nothing is sent, a server takes in each second ${figures.join(', ')}.`
}
