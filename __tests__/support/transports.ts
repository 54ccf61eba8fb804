import { describe } from '@jest/globals'
import type { Asking, Exchange, TestTransport, Told } from './exchange.ts'
import { LONG_POLLING } from './polling-exchange.ts'
import { STREAMING } from './streaming-exchange.ts'

/** Another transport with each request. */
class Changing implements TestTransport {
  readonly name = 'changing transports'
  #isStreaming = false

  get accept(): string {
    return this.#next().accept
  }

  open(url: string, privateToken: string, asking?: Asking): Exchange {
    return this.#next().open(url, privateToken, asking)
  }

  visit(url: string, privateToken: string, asking?: Asking): Exchange {
    return this.#next().visit(url, privateToken, asking)
  }

  #next(): TestTransport {
    this.#isStreaming = !this.#isStreaming
    return this.#isStreaming ? STREAMING : LONG_POLLING
  }
}

/** What the tests of pages are run with, each: the transports, and changes between them. */
export interface Way {
  readonly transport: TestTransport
  /** One request, and the first thing it is told; then its page goes. */
  poll(url: string, privateToken: string, asking?: Asking): Promise<Told>
  /** The same, and it does not wait. */
  glance(url: string, privateToken: string, asking?: Asking): Promise<Told>
}

export function wayOf(transport: TestTransport): Way {
  async function poll(url: string, privateToken: string, asking: Asking = {}): Promise<Told> {
    const exchange = transport.open(url, privateToken, asking)
    const told = await exchange.next()
    if (!exchange.isOver) await exchange.drop()
    return told
  }
  return {
    transport,
    poll,
    glance: (url, privateToken, asking) => poll(url, privateToken, { ...asking, waitSeconds: 0 }),
  }
}

export const TRANSPORTS: readonly TestTransport[] = [LONG_POLLING, STREAMING, new Changing()]

/** Describes the same thing over long polling, over streams, and over both by turns. */
export function overEachTransport(tests: (way: Way) => void): void {
  for (const transport of TRANSPORTS) {
    describe(`Over ${transport.name}:`, () => tests(wayOf(transport)))
  }
}
