import { setTimeout as pause } from 'node:timers/promises'

const PAUSE_MS = 10

/** Sends 0, 1, 2, … one after the other: whatever befalls a page, there is a number on its way. */
export class Numbers {
  /** How many were sent so far. */
  count = 0
  readonly #send: (number: number) => Promise<unknown>
  #isStopped = true
  #ended: Promise<void> = Promise.resolve()

  /** @param send resolves when the number is sent; may be asked again for one that failed */
  constructor(send: (number: number) => Promise<unknown>) {
    this.#send = send
  }

  /** Sends so many, and resolves when they are sent. */
  async send(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += 1) await this.#sendNext()
  }

  /** Sends without end. */
  start(): void {
    this.#isStopped = false
    this.#ended = this.#run()
  }

  /** Resolves when the last is sent. Without effect when it is stopped. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  /** What a page that misses nothing, and gets nothing twice, has been given. */
  get all(): number[] {
    return Array.from({ length: this.count }, (_, number) => number)
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#sendNext()
      await pause(PAUSE_MS)
    }
  }

  async #sendNext(): Promise<void> {
    await this.#send(this.count)
    this.count += 1
  }
}
