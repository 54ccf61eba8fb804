import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { WireMessage } from '../../lib/wire.ts'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import type { DrainToken } from './drain-child.ts'
import { MESSAGE_NAME } from './numbered.ts'
import type { Problem } from './problems.ts'

export type DrainTransport = 'streaming' | 'long-polling'

export interface DrainClientOptions {
  readonly transport: DrainTransport
  readonly port: number
  readonly random: SeededRandom
  /** Whether it does not say where it was. */
  readonly losesCursors: boolean
}

/** Who is told to come again after so many seconds does so within a second of that. */
const JITTER_MS = 1000

/** A client of the wire: it reads on where it was, and comes when it is told to. */
export class DrainClient {
  readonly publicToken: string
  readonly received: number[] = []
  readonly problems: Problem[] = []
  /** The node that has answered last, and when it was asked first. */
  servedBy = ''
  arrivedAt = 0
  readonly #privateToken: string
  readonly #options: DrainClientOptions
  #cursor: string
  #end: (() => void) | undefined
  #isClosed = false

  constructor({ publicToken, privateToken, cursor }: DrainToken, options: DrainClientOptions) {
    this.publicToken = publicToken
    this.#privateToken = privateToken
    this.#cursor = cursor
    this.#options = options
  }

  /** Up to where it has read. */
  get position(): number {
    return Number(this.#cursor.split(':')[1])
  }

  async run(): Promise<void> {
    while (!this.#isClosed) {
      const pauseMs = await this.#ask().catch((error) => this.#fail(String(error)))
      if (pauseMs > 0 && !this.#isClosed) await pause(pauseMs)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#end?.()
  }

  /** Returns how long the server wants it to wait. */
  async #ask(): Promise<number> {
    const askedAt = performance.now()
    const response = await this.#request()
    const { statusCode, headers } = response
    if (statusCode === 503) {
      response.resume()
      return this.#after(headers['retry-after'])
    }
    if (statusCode !== 200) throw new Error(`${statusCode} ${await text(response)}`)
    this.#arrive(String(headers['served-by']), askedAt)
    return this.#options.transport === 'streaming' ? this.#readStream(response) : this.#readPoll(response)
  }

  #request(): Promise<IncomingMessage> {
    const { transport, port, losesCursors } = this.#options
    const isStream = transport === 'streaming'
    const headers = {
      Accept: isStream ? 'text/event-stream' : 'application/json',
      Authorization: `Bearer ${this.#privateToken}`,
      'Comet-Page': this.servedBy === '' ? 'page;new' : 'page',
      ...(!losesCursors && { 'Last-Event-ID': this.#cursor }),
    }
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/comet', headers, agent: false }
      const request = get(options, resolve).on('error', reject)
      this.#end = () => request.destroy()
    })
  }

  #arrive(node: string, askedAt: number): void {
    if (node === this.servedBy) return
    this.servedBy = node
    this.arrivedAt = askedAt
  }

  async #readPoll(response: IncomingMessage): Promise<number> {
    const messages = JSON.parse(await text(response)) as WireMessage[]
    this.#cursor = String(response.headers['comet-cursor'])
    for (const message of messages) this.#take(message)
    return this.#after(response.headers['retry-after'])
  }

  /** A stream says that it ends by a block that is nothing but the time to wait. */
  async #readStream(response: IncomingMessage): Promise<number> {
    let rest = ''
    let retryMs: number | undefined
    for await (const piece of response.setEncoding('utf8')) {
      const blocks = `${rest}${piece}`.split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) retryMs = this.#takeBlock(block)
    }
    return retryMs ?? this.#fail('a stream was cut')
  }

  #takeBlock(block: string): number | undefined {
    const [, id] = /^id: (.*)$/m.exec(block) ?? []
    const [, data] = /^data: (.*)$/m.exec(block) ?? []
    if (id !== undefined) this.#cursor = id
    if (data !== undefined) this.#take(JSON.parse(data) as WireMessage)
    const [, retry] = /^retry: (\d+)$/.exec(block) ?? []
    return retry === undefined ? undefined : Number(retry)
  }

  #take({ n, mid, c }: WireMessage): void {
    if (n === MESSAGE_NAME) this.received.push(mid)
    else if (n === 'aspNetComet.reset')
      this.problems.push({ kind: 'reset', text: `${this.publicToken} ${JSON.stringify(c)}` })
    else if (n === 'aspNetComet.replaced' || n === 'aspNetComet.error')
      this.#fail(`${n} ${JSON.stringify(c)}`)
  }

  #after(retryAfter: string | undefined): number {
    return retryAfter === undefined ? 0 : Number(retryAfter) * 1000 + this.#options.random.below(JITTER_MS)
  }

  #fail(text: string): number {
    if (!this.#isClosed) this.problems.push({ kind: 'failed', text: `${this.publicToken}: ${text}` })
    return JITTER_MS
  }
}
