import type { WireMessage } from '../../lib/wire.ts'
import { eventually } from '../support/eventually.ts'

/** How the client of 2008 came to rest. */
type End = 'unsubscribed' | 'failed' | 'silently dead'

/**
 * A page with the client of 2008, as it behaves: it takes only 200 and a non-empty array for an answer, looks at the
 * first element alone to tell messages from a timeout or an error, asks again at once, and dies of all else, mostly
 * without a word.
 */
export class AspNetCometPage {
  readonly received: WireMessage[] = []
  /** What its failure handlers were given. */
  readonly failures: unknown[] = []
  /** How often its timeout handlers were called. */
  timeouts = 0
  /** The bodies it has sent. */
  readonly requests: string[] = []
  end: End | undefined
  lastMessageId = 0
  readonly #url: string
  readonly #privateToken: string
  readonly #closing = new AbortController()
  #isEnabled = true

  constructor(url: string, privateToken: string) {
    this.#url = url
    this.#privateToken = privateToken
  }

  subscribe(): this {
    this.#isEnabled = true
    this.end = undefined
    void this.#run()
    return this
  }

  /** Lets the open request be, and sends no other. */
  unsubscribe(): void {
    this.#isEnabled = false
  }

  /** The page is closed. */
  close(): void {
    this.#closing.abort()
  }

  receives(count: number): Promise<void> {
    return eventually(() => this.received.length >= count || this.end !== undefined)
  }

  ends(): Promise<void> {
    return eventually(() => this.end !== undefined)
  }

  async #run(): Promise<void> {
    do {
      const text = await this.#post()
      if (text === undefined || !this.#take(text)) {
        this.end ??= 'silently dead'
        return
      }
    } while (this.#isEnabled)
    this.#die('unsubscribed')
  }

  async #post(): Promise<string | undefined> {
    // The token goes out as it is: that client does not encode it.
    const body = `privateToken=${this.#privateToken}&lastMessageId=${this.lastMessageId}`
    this.requests.push(body)
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    try {
      const response = await fetch(this.#url, { method: 'POST', headers, body, signal: this.#closing.signal })
      return response.status === 200 ? await response.text() : undefined
    } catch {
      return undefined
    }
  }

  /** Whether it goes on. */
  #take(text: string): boolean {
    let messages: WireMessage[]
    try {
      messages = text === '' ? [] : JSON.parse(text)
    } catch {
      return this.#die('silently dead')
    }
    const [first] = messages
    if (first === undefined || first.n === 'aspNetComet.error') {
      this.failures.push(first?.c ?? null)
      return this.#die('failed')
    }
    if (first.n === 'aspNetComet.timeout') {
      this.timeouts += 1
      return true
    }
    for (const message of messages) {
      this.lastMessageId = message.mid
      this.received.push(message)
    }
    return true
  }

  #die(end: End): false {
    this.end = end
    return false
  }
}
