import { CLIENT_ID, connect, handshake, subscribe } from './bayeux.ts'
import { type Answer, HttpSocket } from './http-socket.ts'
import type { PagePlace } from './open-pages.ts'
import { type PollingPage, servePollLoad } from './poll-load.ts'

const TYPE = 'long-polling'

class FayePolls implements PollingPage {
  readonly #socket: HttpSocket
  readonly #page: string
  #clientId = ''

  constructor({ port, localAddress, privateToken }: PagePlace) {
    this.#socket = new HttpSocket(port, localAddress)
    this.#page = privateToken
  }

  async connected(): Promise<void> {
    await this.#socket.connected()
    this.#clientId = CLIENT_ID.exec((await this.#ask(handshake(TYPE))).body)![1]!
    await this.#ask(subscribe(this.#clientId, this.#page))
  }

  poll(): Promise<Answer> {
    return this.#ask(connect(this.#clientId, TYPE))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #ask(body: string): Promise<Answer> {
    return this.#socket.exchange(['POST /faye HTTP/1.1', 'Content-Type: application/json'], body)
  }
}

servePollLoad((place) => new FayePolls(place))
