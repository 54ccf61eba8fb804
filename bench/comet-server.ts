import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient } from 'redis'
import { serveTasks } from './child-process.ts'
import { publishIntoGaps } from './gap-publisher.ts'
import { listening } from './listening.ts'
import { sharedNow } from './process-cost.ts'
import { type Bursts, sendInBursts } from './send-in-bursts.ts'
import { type Broadcasts, broadcastInTurns, type Unicasts, unicastInTurns } from './sends.ts'
import { costTasks } from './serving-tasks.ts'

/**
 * A Koa app with a channel, as the README shows it; it is loaded from another process. Given the address of a Redis, it
 * is a node of the channel there. With `--attach` pages subscribe past Koa.
 */

/** Longer than the benchmark takes: what is measured is answered by a message, or held. */
const HELD_FOR_SECONDS = 600

const {
  values: { attach: isAttached },
  positionals: [redisUrl],
} = parseArgs({ options: { attach: { type: 'boolean' } }, allowPositionals: true })
const provider = redisUrl
  ? new RedisCometStateProvider(createClient({ url: redisUrl }))
  : new InProcCometStateProvider()
const channel = new CometStateManager(provider, {
  register: () => ({}),
  connectionTimeoutSeconds: HELD_FOR_SECONDS,
  connectionIdleSeconds: HELD_FOR_SECONDS,
})
const app = new Koa()
app.use(channel.mount('/comet'))
const server = createServer(app.callback())
if (isAttached) channel.attach(server, '/comet')

/** Of the clients that were made last: their pages are here. */
let unicastTokens: readonly string[] = []

async function publicTokens(): Promise<readonly string[]> {
  const tokens: string[] = []
  for await (const { publicToken } of channel.getClients()) tokens.push(publicToken)
  return tokens
}

const tasks = {
  async listen(): Promise<number> {
    await channel.open()
    return listening(server)
  },
  /** Makes clients; returns their private tokens, and keeps none of them. */
  async initialise(count: number): Promise<string[]> {
    const clients = await Promise.all(
      Array.from({ length: count }, () => channel.initializeClient({ publicToken: randomUUID() })),
    )
    unicastTokens = clients.map(({ publicToken }) => publicToken)
    return clients.map(({ privateToken }) => privateToken)
  },
  ...costTasks(),
  held: () => channel.stats().heldRequests,
  async send(text: string): Promise<number> {
    const at = sharedNow()
    await channel.sendMessage('Bench', text)
    return at
  },
  broadcast: (messages: Broadcasts): Promise<void> =>
    broadcastInTurns(messages, () => channel.sendMessage('Bench', messages.text)),
  unicast: (messages: Unicasts): Promise<void> =>
    unicastInTurns(messages, (number) =>
      channel.sendMessage('Bench', messages.text, { to: unicastTokens[number % unicastTokens.length]! }),
    ),
  /** To all clients there are, whichever node they are at. */
  async sendToEach({ receivers, messagesEach, text }: Bursts): Promise<void> {
    const tokens = await publicTokens()
    if (tokens.length !== receivers) {
      throw new Error(`The channel has ${tokens.length} clients, not ${receivers}.`)
    }
    await sendInBursts(tokens, messagesEach, (burst) =>
      Promise.all(burst.map((to) => channel.sendMessage('Bench', text, { to }))),
    )
  },
  publishIntoGaps: (count: number) => publishIntoGaps(channel, count),
}

export type CometServerTasks = typeof tasks

serveTasks(tasks)
