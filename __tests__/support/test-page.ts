import { RESERVED_PREFIX, type WireMessage } from '../../lib/wire.ts'
import type { Asking, Exchange, TestTransport, Told } from './exchange.ts'

/** What a page needs to know of its client. */
export interface PageClient {
  readonly privateToken: string
  readonly start: { readonly epoch: string; readonly messageId: number }
}

/** A page without the browser client: asks when told, keeps its cursor, and writes down what comes. */
export class TestPage {
  /** The app’s messages, as they came. */
  readonly received: WireMessage[] = []
  /** The contents of each `aspNetComet.reset`. */
  readonly resets: unknown[] = []
  readonly statuses: number[] = []
  cursor: string
  readonly privateToken: string
  readonly #transport: TestTransport
  readonly #pageId: string
  #wasAnswered = false
  /** A request that goes on, and that nobody waits for. */
  #open: { readonly exchange: Exchange; readonly url: string } | undefined
  readonly #awaited = new Set<Exchange>()

  constructor(transport: TestTransport, { privateToken, start }: PageClient, pageId = 'page') {
    this.#transport = transport
    this.privateToken = privateToken
    this.#pageId = pageId
    this.cursor = `${start.epoch}:${start.messageId}`
  }

  get contents(): unknown[] {
    return this.received.map(({ c }) => c)
  }

  /**
   * What this page is told next: by its request there that goes on, if there is one, else by a new one. An answer that
   * fails leaves all as it is.
   */
  async next(url: string, { waitSeconds }: { readonly waitSeconds?: number } = {}): Promise<Told> {
    const open = this.#open?.url === url ? this.#open.exchange : undefined
    if (open) this.#open = undefined
    else await this.#leave()
    const exchange = open ?? this.#transport.open(url, this.privateToken, this.#asking(waitSeconds))
    return this.#told(exchange, url, (each) => each.next())
  }

  /** Takes what there is, and goes. */
  async glance(url: string): Promise<Told> {
    await this.#leave()
    const exchange = this.#transport.open(url, this.privateToken, this.#asking(0))
    const told = await this.#told(exchange, url, (each) => each.next())
    await this.#leave()
    return told
  }

  /** Takes what there is, and stays there until it asks again, if its transport can stay without waiting. */
  async visit(url: string): Promise<Told> {
    await this.#leave()
    const exchange = this.#transport.visit(url, this.privateToken, this.#asking(undefined))
    return this.#told(exchange, url, (each) => each.begun())
  }

  /** Its connections break, also those that somebody waits for. */
  async drop(): Promise<void> {
    await this.#leave()
    await Promise.all([...this.#awaited].map((exchange) => exchange.drop()))
  }

  #asking(waitSeconds: number | undefined): Asking {
    const page = this.#wasAnswered ? this.#pageId : `${this.#pageId};new`
    return { cursor: this.cursor, waitSeconds, headers: { 'Comet-Page': page } }
  }

  async #told(exchange: Exchange, url: string, told: (exchange: Exchange) => Promise<Told>): Promise<Told> {
    this.#awaited.add(exchange)
    try {
      const next = await told(exchange)
      this.#take(next)
      if (!exchange.isOver) this.#open = { exchange, url }
      return next
    } finally {
      this.#awaited.delete(exchange)
    }
  }

  async #leave(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    const rest = await open?.exchange.drop()
    if (rest) this.#take(rest)
  }

  #take({ status, cursor, messages }: Told): void {
    this.statuses.push(status)
    if (status !== 200) return
    this.#wasAnswered = true
    this.cursor = cursor!
    for (const message of messages) {
      if (message.n === 'aspNetComet.reset') this.resets.push(message.c)
      if (!message.n.startsWith(RESERVED_PREFIX)) this.received.push(message)
    }
  }
}
