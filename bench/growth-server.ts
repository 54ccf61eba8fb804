import { createServer } from 'node:http'
import Koa from 'koa'
import { CometStateManager, type SendOptions } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { serveTasks } from './child-process.ts'
import { listening } from './listening.ts'
import { collectedCost, cpuMicroseconds } from './process-cost.ts'
import { type Broadcasts, broadcastInTurns, TEXT, type Unicasts, unicastInTurns } from './sends.ts'

/**
 * A Koa app with a channel that may grow: its limits are above what is measured. It is told for how many seconds it
 * retains messages.
 */

/** Longer than the benchmark takes. */
const HELD_FOR_SECONDS = 600
const MOST = 200_000
/** As many operations as are asked for at once. */
const AT_ONCE = 1_000

const [retainedForSeconds] = process.argv.slice(2)
const channel = new CometStateManager(new InProcCometStateProvider(), {
  connectionTimeoutSeconds: HELD_FOR_SECONDS,
  connectionIdleSeconds: HELD_FOR_SECONDS,
  maxClients: MOST,
  retention: { seconds: Number(retainedForSeconds), messages: MOST, bytes: 2 ** 30 },
})
const app = new Koa()
app.use(channel.mount('/comet'))
const server = createServer(app.callback())

/** Public tokens of those who come and wait. */
let waiting: readonly string[] = []
let known = 0
let retained = 0

/** In the groups that they are given. */
async function newClients(
  count: number,
  groupsOf: (index: number) => readonly string[] = () => [],
): Promise<{ publicToken: string; privateToken: string }[]> {
  const first = known
  known += count
  const made: { publicToken: string; privateToken: string }[] = []
  await inBatches(count, async (index) => {
    const groups = groupsOf(index)
    made[index] = await channel.initializeClient({ publicToken: `client-${first + index}`, groups })
  })
  return made
}

async function inBatches(count: number, ask: (index: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, offset) => ask(first + offset))
    await Promise.all(batch)
  }
}

function send(text: string, audience: SendOptions = {}): Promise<number> {
  return channel.sendMessage('Bench', text, audience)
}

function groupOf(number: number): string {
  return `group-${number}`
}

const tasks = {
  async listen(): Promise<number> {
    await channel.open()
    return listening(server)
  },
  /** The private tokens of pages that come and wait, each in a group of its own. */
  async initialise(count: number): Promise<string[]> {
    const clients = await newClients(count, (index) => [groupOf(index)])
    waiting = clients.map(({ publicToken }) => publicToken)
    return clients.map(({ privateToken }) => privateToken)
  },
  cpu: cpuMicroseconds,
  cost: collectedCost,
  held: () => channel.stats().heldRequests,
  /** Makes clients that never come. */
  async know(count: number): Promise<void> {
    await newClients(count)
  },
  /** Makes groups of clients that never come. */
  async knowGroups({ count, members }: { count: number; members: number }): Promise<void> {
    await newClients(count * members, (index) => [groupOf(index % count)])
  },
  /** Keeps so many more messages: to all, or each to a group of its own. */
  retainForAll: (count: number): Promise<void> => inBatches(count, () => send(TEXT)),
  retainForGroups: (count: number): Promise<void> =>
    inBatches(count, () => {
      retained += 1
      return send(TEXT, { group: `empty-${retained}` })
    }),
  /** Ends all clients. */
  async forget(): Promise<void> {
    await channel.stopClient({ except: [] })
    known = 0
  },
  broadcast: (messages: Broadcasts): Promise<void> => broadcastInTurns(messages, () => send(messages.text)),
  /** To one that waits after another. */
  unicast: (messages: Unicasts): Promise<void> =>
    unicastInTurns(messages, (number) => send(messages.text, { to: waiting[number % waiting.length]! })),
  /** To one after another of so many that never come. */
  sendToAbsent: ({ absent, ...messages }: Unicasts & { absent: number }): Promise<void> =>
    unicastInTurns(messages, (number) =>
      send(messages.text, { to: `client-${waiting.length + (number % absent)}` }),
    ),
  /** To one group of those that wait after another. */
  sendToGroups: (messages: Unicasts): Promise<void> =>
    unicastInTurns(messages, (number) => send(messages.text, { group: groupOf(number % waiting.length) })),
}

export type GrowthServerTasks = typeof tasks

serveTasks(tasks)
