import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { obey, say } from './campaign-child.ts'
import { contentsOf, MESSAGE_NAME } from './numbered.ts'

/** A Koa app with a channel that pages register themselves at, and whose messages are for all, some or one of them. */

export type FaultsOrder =
  | { readonly seed: number }
  /** The pages that messages may be addressed to, by their public tokens. Nothing is sent before there is one. */
  | { readonly pages: readonly string[] }
  /** Removes the client with this private token. */
  | { readonly remove: string }
  | { readonly publish: PublishOrder }
  | { readonly stop: true }

export interface PublishOrder {
  readonly longestPauseMs: number
  readonly mostAtOnce: number
}

/** One message that was sent. */
export type Sent = readonly [id: number, number: number, to?: readonly string[]]

export type FaultsSaid =
  | { readonly port: number }
  /** A client began, and is told what comes behind this id. */
  | { readonly client: string; readonly generation: number }
  | { readonly sent: readonly Sent[] }
  | { readonly stopped: true }
  | { readonly trouble: string }

/** Short: a page takes a silence of twice this time for the end of its stream. */
const KEEP_ALIVE_SECONDS = 1
const HOLD_SECONDS = 2

/** A page that fails again and again waits for long: nothing is to be dropped meanwhile. */
const RETENTION = { seconds: 86_400, messages: 1_000_000, bytes: 2 ** 30 }

const TO_ALL_PERCENT = 60
const TO_ONE_PERCENT = 20
const MOST_RECEIVERS = 10

const saying = (said: FaultsSaid): void => say(said)

const channel = new CometStateManager(new InProcCometStateProvider(), {
  register: () => ({}),
  keepAliveSeconds: KEEP_ALIVE_SECONDS,
  connectionTimeoutSeconds: HOLD_SECONDS,
  retention: RETENTION,
})
let random = new SeededRandom(0)
let pages: readonly string[] = []
let lastNumber = 0
let isStopped = false

async function serve(): Promise<void> {
  channel.on('clientInitialized', ({ publicToken, generation }) =>
    saying({ client: publicToken, generation }),
  )
  channel.on('error', (error) => saying({ trouble: String(error) }))
  const app = new Koa()
  // What the proxy cuts is what this is about.
  app.silent = true
  app.use(channel.mount())
  const server = createServer(app.callback())
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  saying({ port: (server.address() as AddressInfo).port })
}

async function publish({ longestPauseMs, mostAtOnce }: PublishOrder): Promise<void> {
  while (!isStopped) {
    const count = pages.length === 0 ? 0 : 1 + random.below(mostAtOnce)
    const sends = Array.from({ length: count }, () => sendOne())
    const sent = (await Promise.all(sends)).filter((each) => each !== undefined)
    if (sent.length > 0) saying({ sent })
    await pause(random.below(longestPauseMs))
  }
  saying({ stopped: true })
}

/** Nothing is sent to a client alone that was removed. */
async function sendOne(): Promise<Sent | undefined> {
  lastNumber += 1
  const number = lastNumber
  const to = drawReceivers()
  const contents = JSON.parse(contentsOf(number)) as string
  const receivers = to?.length === 1 ? to[0]! : to
  try {
    const id = await channel.sendMessage(
      MESSAGE_NAME,
      contents,
      receivers === undefined ? {} : { to: receivers },
    )
    return to ? [id, number, to] : [id, number]
  } catch (error) {
    if ((error as { code?: string }).code !== 'COMET_CLIENT_DOES_NOT_EXIST') throw error
    return undefined
  }
}

function drawReceivers(): readonly string[] | undefined {
  const percent = random.below(100)
  if (percent < TO_ALL_PERCENT) return undefined
  const count = percent < TO_ALL_PERCENT + TO_ONE_PERCENT ? 1 : 1 + random.below(MOST_RECEIVERS)
  return [...new Set(Array.from({ length: count }, () => random.pick(pages)))]
}

async function follow(order: FaultsOrder): Promise<void> {
  if ('seed' in order) {
    random = new SeededRandom(order.seed)
    await serve()
  } else if ('pages' in order) pages = order.pages
  else if ('remove' in order) await channel.killIdleCometClient(order.remove)
  else if ('publish' in order) await publish(order.publish)
  else isStopped = true
}

obey((order: FaultsOrder) => {
  follow(order).catch((error: Error) => saying({ trouble: String(error.stack) }))
})
