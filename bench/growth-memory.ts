import type { TaskProcess } from './child-process.ts'
import { leaveServersCore } from './cores.ts'
import { withinDeadline } from './deadline.ts'
import { RETAINED_FOR_SECONDS, startGrowthServer } from './growth-channel.ts'
import type { Growth } from './growth-of.ts'
import type { GrowthServerTasks } from './growth-server.ts'

/** What memory clients take that are known, and messages that are retained. */

/** Of fewer than a thousand the heap says nothing: by itself it moves by some 50 kB. */
const SIZES = [1_000, 10_000, 100_000]
/** Code that runs for the first time is compiled: that is no cost of a client, or a message. */
const WARM_UP = 20_000
/** Some of what is compiled is dropped only by a later collection. */
const COLLECTIONS = 4
const HARDLY_RETAINED_FOR_SECONDS = 1
/** Until what is over the retention is dropped. */
const DROPPED_MS = 2_500

type Server = TaskProcess<GrowthServerTasks>

type Point = readonly [size: number, bytesOfEach: number]

/** How the heap grows, with one size after another. */
async function heapOf(
  retainedForSeconds: number,
  add: (server: Server, count: number) => Promise<void>,
): Promise<Point[]> {
  const server = startGrowthServer(retainedForSeconds)
  try {
    await server.ask('listen')
    await add(server, WARM_UP)
    await server.ask('forget')
    await dropped(server, retainedForSeconds)
    const before = await heapBytesOf(server)
    const points: Point[] = []
    let there = 0
    for (const size of SIZES) {
      await add(server, size - there)
      there = size
      await dropped(server, retainedForSeconds)
      points.push([size, ((await heapBytesOf(server)) - before) / size])
    }
    return points
  } finally {
    await server.stop()
  }
}

async function heapBytesOf(server: Server): Promise<number> {
  for (let collected = 1; collected < COLLECTIONS; collected++) await server.ask('cost')
  return (await server.ask('cost')).heapBytes
}

/** Resolves when nothing is retained any more, where that is soon. */
async function dropped(server: Server, retainedForSeconds: number): Promise<void> {
  if (retainedForSeconds !== HARDLY_RETAINED_FOR_SECONDS) return
  await new Promise((resolve) => setTimeout(resolve, DROPPED_MS))
  // What comes drops what is old, here and in the store.
  await server.ask('retainForAll', 1)
}

export async function growthOfClients(): Promise<Growth> {
  leaveServersCore()
  const know = (server: Server, count: number): Promise<void> => server.ask('know', count)
  return {
    name: 'growth-clients',
    title: 'Heap of a client that is known',
    xLabel: 'clients',
    unit: 'bytes',
    series: [
      {
        name: 'with the entry that it was made',
        points: await withinDeadline(heapOf(RETAINED_FOR_SECONDS, know)),
      },
      {
        name: 'when that is retained no more',
        points: await withinDeadline(heapOf(HARDLY_RETAINED_FOR_SECONDS, know)),
      },
    ],
  }
}

export async function growthOfMessages(): Promise<Growth> {
  leaveServersCore()
  const measure = (task: 'retainForAll' | 'retainForGroups'): Promise<Point[]> =>
    withinDeadline(heapOf(RETAINED_FOR_SECONDS, (server, count) => server.ask(task, count)))
  return {
    name: 'growth-messages',
    title: 'Heap of a message that is retained',
    xLabel: 'messages',
    unit: 'bytes',
    series: [
      { name: 'to all', points: await measure('retainForAll') },
      { name: 'each to another group', points: await measure('retainForGroups') },
    ],
  }
}
