import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { obey, say } from './campaign-child.ts'
import {
  type ClusterOrder,
  type ClusterSaid,
  IDLE_HEADER,
  type ListedClient,
  type OpenOrder,
  ROOM_HEADER,
  USER_HEADER,
  WORK_NAME,
  type WorkOrder,
  workResult,
} from './cluster-orders.ts'
import { ClusterPublisher } from './cluster-publisher.ts'
import { Saboteur } from './cluster-sabotage.ts'
import { createProvider, RETENTION } from './cluster-store.ts'
import { machineMs } from './machine-clock.ts'
import { StreamEnds } from './stream-ends.ts'

/** One node of a channel that several processes share: a Koa app that pages use and that publishes. */

/** A page takes a silence of twice this time for the end of its stream: here nothing is to be silent for so long. */
const KEEP_ALIVE_SECONDS = 5
const HOLD_SECONDS = 2

/** Whose node was killed amid a handler learns that so late. */
const HANDLER_TIMEOUT_SECONDS = 3

/** Who is still sending or reading then is cut off. */
const LEAVE_TAKING_MS = 10_000

/** One of so many sends changes what others see of its page. */
const UPDATES = 20

const saying = (said: ClusterSaid): void => say(said)

class Node {
  readonly #port: number
  readonly #channel: CometStateManager
  readonly #publisher: ClusterPublisher
  readonly #saboteur: Saboteur
  readonly #ends = new StreamEnds()
  #server: Server | undefined

  constructor(provider: ICometStateProvider, { port, seed, firstNumber, sabotage }: OpenOrder) {
    this.#port = port
    this.#saboteur = new Saboteur(sabotage)
    this.#channel = new CometStateManager(this.#saboteur.provider(provider), {
      register: (ctx) => ({
        groups: [ctx.get(ROOM_HEADER)],
        connectionIdleSeconds: Number(ctx.get(IDLE_HEADER)),
      }),
      identify: (ctx) => ctx.get(USER_HEADER),
      joinable: () => true,
      presence: true,
      clientList: () => true,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      connectionTimeoutSeconds: HOLD_SECONDS,
      handlerTimeoutSeconds: HANDLER_TIMEOUT_SECONDS,
      retention: RETENTION,
    })
    this.#publisher = new ClusterPublisher(this.#channel, firstNumber, new SeededRandom(seed))
    this.#channel.on('clientDisconnected', ({ publicToken }) => saying({ removed: publicToken }))
    this.#channel.on('error', (error) => saying({ trouble: String(error) }))
    this.#channel.onMessage(WORK_NAME, (contents, { client }) =>
      this.#work(contents as WorkOrder, client.publicToken),
    )
  }

  async listen(): Promise<void> {
    await this.#channel.open()
    const app = new Koa()
    // What a kill cuts is what this is about.
    app.silent = true
    app.use(async (ctx, next) => {
      if (ctx.get('Accept') === 'text/event-stream') this.#ends.watch(ctx.res)
      await this.#saboteur.meddle(ctx, next, this.#channel)
    })
    app.use(this.#channel.mount())
    app.use((ctx) => {
      ctx.body = 'alive'
    })
    this.#server = createServer(app.callback())
    this.#server.listen({ port: this.#port, host: '127.0.0.1', backlog: 4096 })
    await once(this.#server, 'listening')
    saying({ listens: true })
  }

  async follow(order: ClusterOrder): Promise<void> {
    if ('pages' in order) this.#publisher.pages = order.pages
    else if ('publish' in order) this.#publisher.run(order.publish)
    else if ('send' in order) await this.#publisher.send(order.send)
    else if ('silence' in order) {
      await this.#publisher.silence()
      saying({ silent: true })
    } else if ('list' in order) await this.#list()
    else if ('close' in order) await this.#close(order.close.overSeconds)
  }

  async #work({ sender, number, workMs }: WorkOrder, publicToken: string): Promise<string> {
    for (let times = this.#saboteur.times(); times > 0; times -= 1)
      saying({ handling: [sender, number], atMs: machineMs() })
    await pause(workMs)
    if (number % UPDATES === 0) await this.#channel.updateClient(publicToken, { data: number })
    return workResult({ sender, number })
  }

  async #list(): Promise<void> {
    const clients: ListedClient[] = []
    for await (const { publicToken, groups } of this.#channel.getClients())
      clients.push([publicToken, groups])
    saying({ clients })
  }

  /** As an app should: first the channel, then the server. */
  async #close(overSeconds: number): Promise<void> {
    this.#ends.clear()
    await this.#channel.close({ overSeconds })
    await this.#publisher.silence()
    const { count: streams, mostAtOnce } = this.#ends
    this.#server!.close(() => {
      saying({ closed: { streams, mostAtOnce } })
      process.exit()
    })
    setTimeout(() => this.#server!.closeAllConnections(), LEAVE_TAKING_MS).unref()
  }
}

let preparing: Promise<ICometStateProvider>
let opening: Promise<Node>

async function follow(order: ClusterOrder): Promise<void> {
  if ('prepare' in order) preparing = createProvider(order.prepare)
  else if ('open' in order) {
    opening = preparing.then((provider) => new Node(provider, order.open))
    await (await opening).listen()
  } else await (await opening).follow(order)
}

obey((order: ClusterOrder) => {
  follow(order).catch((error: Error) => saying({ trouble: String(error.stack) }))
})
