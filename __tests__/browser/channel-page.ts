import { setTimeout as pause } from 'node:timers/promises'
import type { Page, Request } from 'playwright-core'

/** What a page has seen of its channel. */
export interface Seen {
  /** The numbers that its handler was given, also before a reload. */
  readonly numbers: readonly number[]
  readonly states: readonly string[]
  /** The transport at each change of the state. */
  readonly transports: readonly string[]
  /** The codes of what the failure handler was told. */
  readonly failures: readonly string[]
  /** The reasons. */
  readonly resets: readonly string[]
  readonly timeouts: number
  /** How often it was told that the connection is slow. */
  readonly slow: number
  /** What the browser has told the page about its life. */
  readonly life: readonly string[]
  /** Whether it is in front: `visible` or `hidden`. */
  readonly visibility: string
  readonly state: string
  readonly transport: string
}

/** What a page asks its channel for. */
export type Asked = 'script' | 'register' | 'goodbye' | 'stream' | 'probe' | 'poll'

/** Below that of a test, so that a failure shows what was seen instead. */
const LIMIT_MS = 15_000
/** The browser needs the processor more than who asks it. */
const ASK_AGAIN_MS = 15

const SEEN = `({
  ...seen,
  visibility: document.visibilityState,
  state: channel.state,
  transport: channel.transport,
})`

/** A page of a real browser with a real channel. */
export class ChannelPage {
  readonly page: Page
  /** What it has written to the console, and errors that nobody caught. */
  readonly output: string[] = []
  /** What it has asked for so far, over reloads. */
  readonly asked: Asked[] = []

  constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(LIMIT_MS)
    page.on('console', (message) => this.output.push(message.text()))
    page.on('pageerror', (error) => this.output.push(String(error)))
    page.on('request', (request) => this.#note(request))
  }

  static async open(page: Page, url: string): Promise<ChannelPage> {
    const opened = new ChannelPage(page)
    await page.goto(url)
    return opened
  }

  /** How often it has asked for that. */
  count(what: Asked): number {
    return this.asked.filter((each) => each === what).length
  }

  seen(): Promise<Seen> {
    return this.page.evaluate(SEEN)
  }

  /** Resolves with what it has seen when that is so. Does not ask the page for timers: it may be hidden. */
  async until(condition: (seen: Seen) => boolean): Promise<Seen> {
    const { stack } = new Error('was waited for')
    const giveUpAt = process.hrtime.bigint() + BigInt(LIMIT_MS) * 1_000_000n
    let seen: Seen | undefined
    while (process.hrtime.bigint() < giveUpAt) {
      // Rejects while one page goes and the next comes.
      seen = await this.seen().catch(() => undefined)
      if (seen && condition(seen)) return seen
      await pause(ASK_AGAIN_MS)
    }
    throw new Error(`not within ${LIMIT_MS} ms: ${condition}; ${JSON.stringify(seen)}\n${stack}`)
  }

  connected(): Promise<Seen> {
    return this.until(({ state }) => state === 'connected')
  }

  /** Resolves when it has seen so many numbers. */
  has(count: number): Promise<Seen> {
    return this.until(({ numbers }) => numbers.length >= count)
  }

  #note(request: Request): void {
    const [, endpoint] = /\/comet(?:\/([\w.]+))?$/.exec(new URL(request.url()).pathname) ?? []
    const headers = request.headers()
    if (!request.url().includes('/comet')) return
    if (endpoint === 'client.js') this.asked.push('script')
    else if (endpoint === 'register' || endpoint === 'goodbye') this.asked.push(endpoint)
    else if (headers['comet-probe']) this.asked.push('probe')
    else this.asked.push(headers.accept === 'text/event-stream' ? 'stream' : 'poll')
  }
}
