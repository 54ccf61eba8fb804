import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { obey, say } from './campaign-child.ts'
import { isFor, isForAll } from './drain-audience.ts'
import { contentsOf, MESSAGE_NAME } from './numbered.ts'
import { StreamEnds } from './stream-ends.ts'

/** One node of a channel over an SQLite file, which publishes until it is closed. */

export type DrainOrder =
  | { readonly open: { readonly file: string; readonly name: string; readonly firstNumber: number } }
  | { readonly initialise: number }
  /** To say when so many requests are held. */
  | { readonly hold: number }
  | { readonly publishTo: readonly string[] }
  | { readonly silence: true }
  | { readonly close: { readonly overSeconds: number } }

/** A client as its page has to know it. */
export interface DrainToken {
  readonly publicToken: string
  readonly privateToken: string
  readonly cursor: string
}

export type DrainSaid =
  | { readonly port: number }
  | { readonly clients: readonly DrainToken[] }
  | { readonly holds: number }
  | { readonly sent: readonly [id: number, number: number] }
  | { readonly silent: true }
  | { readonly removed: string }
  | { readonly closed: NodeEnd }
  | { readonly trouble: string }

/** How a node went. */
export interface NodeEnd {
  readonly tookMs: number
  /** How many streams were ended, and how many of them in one turn of the event loop at most. */
  readonly streams: number
  readonly mostAtOnce: number
}

/** Leases have to be renewed on the way, and outlast what pages are asked to wait for. */
const IDLE_SECONDS = 30

const PUBLISH_EVERY_MS = 200
const LOOK_AGAIN_MS = 20

const saying = (said: DrainSaid): void => say(said)

class Node {
  readonly #name: string
  readonly #channel: CometStateManager
  #next: number
  #isSilent = false
  readonly #ends = new StreamEnds()

  constructor({ file, name, firstNumber }: Extract<DrainOrder, { open: unknown }>['open']) {
    this.#name = name
    this.#next = firstNumber
    this.#channel = new CometStateManager(new SqliteCometStateProvider(file), {
      connectionIdleSeconds: IDLE_SECONDS,
    })
    this.#channel.on('clientDisconnected', ({ publicToken }) => saying({ removed: publicToken }))
    this.#channel.on('error', (error) => saying({ trouble: String(error) }))
  }

  async listen(): Promise<void> {
    await this.#channel.open()
    const app = new Koa()
    app.use(async (ctx, next) => {
      ctx.set('Served-By', this.#name)
      if (ctx.get('Accept') === 'text/event-stream') this.#ends.watch(ctx.res)
      await next()
    })
    app.use(this.#channel.mount())
    const server = createServer(app.callback())
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
    await once(server, 'listening')
    saying({ port: (server.address() as AddressInfo).port })
  }

  async initialise(count: number): Promise<void> {
    const names = Array.from({ length: count }, (_, index) => `client-${index}`)
    const clients = await Promise.all(
      names.map((publicToken) => this.#channel.initializeClient({ publicToken })),
    )
    saying({
      clients: clients.map(({ publicToken, privateToken, start }) => ({
        publicToken,
        privateToken,
        cursor: `${start.epoch}:${start.messageId}`,
      })),
    })
  }

  async hold(count: number): Promise<void> {
    while (this.#channel.stats().heldRequests < count) await pause(LOOK_AGAIN_MS)
    saying({ holds: count })
  }

  /** Also while it closes, until it is closed. */
  async publish(publicTokens: readonly string[]): Promise<void> {
    while (!this.#isSilent) {
      const number = this.#next
      this.#next += 1
      const contents = JSON.parse(contentsOf(number)) as string
      const to = publicTokens.filter((_, index) => isFor(index, number))
      try {
        const id = await this.#channel.sendMessage(MESSAGE_NAME, contents, isForAll(number) ? {} : { to })
        saying({ sent: [id, number] })
      } catch (error) {
        if ((error as { code?: string }).code !== 'COMET_CHANNEL_IS_CLOSED') throw error
        break
      }
      await pause(PUBLISH_EVERY_MS)
    }
    saying({ silent: true })
  }

  silence(): void {
    this.#isSilent = true
  }

  async close({ overSeconds }: { readonly overSeconds: number }): Promise<void> {
    const beganAt = performance.now()
    this.#ends.clear()
    await this.#channel.close({ overSeconds })
    const tookMs = Math.round(performance.now() - beganAt)
    const { count: streams, mostAtOnce } = this.#ends
    saying({ closed: { tookMs, streams, mostAtOnce } })
  }
}

let node: Node

async function follow(order: DrainOrder): Promise<void> {
  if ('open' in order) {
    node = new Node(order.open)
    await node.listen()
  } else if ('initialise' in order) await node.initialise(order.initialise)
  else if ('hold' in order) await node.hold(order.hold)
  else if ('publishTo' in order) await node.publish(order.publishTo)
  else if ('close' in order) await node.close(order.close)
  else node.silence()
}

obey((order: DrainOrder) => {
  follow(order).catch((error: Error) => saying({ trouble: String(error.stack) }))
})
