import type { Cursor } from '../cursor.ts'
import type { SubscribeContext } from './bare-context.ts'
import { HeldResponse, type ResponseOwner } from './held-response.ts'
import type { Transport } from './wait-request.ts'

/** A page that has not given up a probe by now has seen what it wanted to see. */
const PROBE_MS = 5000

export interface ProbeParameters {
  readonly transport: Transport
  /** What the page is told as its position; it does not count. */
  readonly cursor: Cursor
}

/** Requests that only try whether the beginning of a stream gets through. They are nobody's, and take nothing over. */
export class Probes {
  readonly #held = new Map<string, Probe>()

  /** How many are held. */
  get size(): number {
    return this.#held.size
  }

  /** Holds the request. Its client's older one, if there is one, is the caller's to end. */
  add(ctx: SubscribeContext, privateTokenHash: string, parameters: ProbeParameters): void {
    const probe = new Probe(ctx, parameters, () => {
      if (this.#held.get(privateTokenHash) === probe) this.#held.delete(privateTokenHash)
    })
    this.#held.set(privateTokenHash, probe)
  }

  /** Ends the one of a client, if there is one. */
  end(privateTokenHash: string): void {
    this.#held.get(privateTokenHash)?.end('timeout')
  }

  /** Ends all: the channel closes. */
  close(): void {
    for (const probe of this.#held.values()) probe.end('closed')
  }
}

class Probe implements ResponseOwner {
  readonly #response: HeldResponse
  readonly #transport: Transport
  readonly #cursor: Cursor
  readonly #ended: () => void
  readonly #timer: NodeJS.Timeout

  constructor(ctx: SubscribeContext, { transport, cursor }: ProbeParameters, ended: () => void) {
    this.#response = new HeldResponse(ctx, this)
    this.#transport = transport
    this.#cursor = cursor
    this.#ended = ended
    this.#timer = setTimeout(() => this.end('timeout'), PROBE_MS).unref()
  }

  end(kind: 'timeout' | 'closed'): void {
    this.closed()
    const cursor = this.#cursor
    this.#transport.tell(this.#response, { kind, cursor }, { cursor })
  }

  released(): void {
    this.#transport.begin?.(this.#response, this.#cursor, this.#cursor)
  }

  drained(): void {}

  closed(): void {
    clearTimeout(this.#timer)
    this.#ended()
  }
}
