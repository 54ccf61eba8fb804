import { randomUUID } from 'node:crypto'
import { HttpSocket } from './http-socket.ts'
import type { PagePlace } from './open-pages.ts'
import { type PollingPage, servePollLoad } from './poll-load.ts'

/** A page of sockjs whose requests are each answered with what there is. */
class SockJsPolls implements PollingPage {
  readonly #socket: HttpSocket
  readonly #line = `POST /sockjs/000/${randomUUID()}/xhr HTTP/1.1`

  constructor({ port, localAddress }: PagePlace) {
    this.#socket = new HttpSocket(port, localAddress)
  }

  /** The first answer says that there is a session now. */
  async connected(): Promise<void> {
    await this.#socket.connected()
    await this.poll()
  }

  /** Messages come as texts in JSON. */
  async poll(): Promise<{ status: string; body: string }> {
    const { status, body } = await this.#socket.exchange([this.#line])
    return { status, body: body.replaceAll('\\"', '"') }
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

servePollLoad((place) => new SockJsPolls(place))
