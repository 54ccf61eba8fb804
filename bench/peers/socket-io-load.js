import { io } from 'socket.io-client'
import { serveTasks } from '../../dist/bench/child-process.js'

/** A thousand pages with a socket each, in one process. */

/** So many connect at a time: more would be more than the server's backlog. */
const CONNECTED_AT_ONCE = 250

const pages = []

/** Counts messages. */
class Page {
  #socket
  #count = 0
  #awaited = Number.POSITIVE_INFINITY
  #resolve

  constructor(port) {
    this.#socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true })
    this.#socket.on('Bench', () => {
      this.#count += 1
      this.#look()
    })
  }

  connected() {
    return new Promise((resolve) => this.#socket.once('connect', resolve))
  }

  /** Resolves when so many messages have come in all. */
  received(count) {
    return new Promise((resolve) => {
      this.#awaited = count
      this.#resolve = resolve
      this.#look()
    })
  }

  #look() {
    if (this.#count > this.#awaited)
      throw new Error(`${this.#count} messages came, where ${this.#awaited} were sent.`)
    if (this.#count === this.#awaited) this.#resolve?.()
  }
}

serveTasks({
  async open({ port, privateTokens: { length } }) {
    while (pages.length < length) {
      const count = Math.min(CONNECTED_AT_ONCE, length - pages.length)
      const batch = Array.from({ length: count }, () => new Page(port))
      await Promise.all(batch.map((page) => page.connected()))
      pages.push(...batch)
    }
  },
  async received({ count }) {
    await Promise.all(pages.map((page) => page.received(count)))
  },
})
