import { connect, type Socket } from 'node:net'
import { MARK } from './message-counter.ts'
import type { PagePlace } from './open-pages.ts'

/** More than a message is long, and an answer that a page waits for. */
const KEPT_LENGTH = 600

interface Awaited {
  readonly pattern: RegExp
  readonly resolve: (match: RegExpExecArray) => void
}

/** A page's connection, without what a client would cost: messages are counted in what comes, and not parsed. */
export class CountingSocket {
  /** How many messages have come, to the page that it continues too. */
  count: number
  readonly #socket: Socket
  readonly #got: (messages: number) => void
  readonly #mark: string
  #last = ''
  #awaited: Awaited | undefined

  /**
   * @param got is told of each part that comes how many messages are in it
   * @param before the page that was dropped, which this one continues
   * @param mark what each message has in it, once
   */
  constructor(
    { port, localAddress }: PagePlace,
    got: (messages: number) => void,
    before?: CountingSocket,
    mark: string = MARK,
  ) {
    this.#got = got
    this.#mark = mark
    this.count = before?.count ?? 0
    this.#socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data)
  }

  /** The end of what came. */
  get last(): string {
    return this.#last
  }

  /** Resolves when this has come. */
  came(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      this.#awaited = { pattern, resolve }
      this.#look(this.#last)
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #take(text: string): void {
    // What may be the beginning of a mark, and can be no whole one, is counted with what follows.
    let at = Math.max(0, this.#last.length - this.#mark.length + 1)
    const whole = this.#last + text
    let messages = 0
    for (at = whole.indexOf(this.#mark, at); at !== -1; at = whole.indexOf(this.#mark, at + 1)) messages += 1
    this.#last = whole.slice(-KEPT_LENGTH)
    this.count += messages
    if (messages > 0) this.#got(messages)
    this.#look(whole)
  }

  #look(text: string): void {
    const match = this.#awaited?.pattern.exec(text)
    if (!match) return
    const { resolve } = this.#awaited!
    this.#awaited = undefined
    resolve(match)
  }
}
