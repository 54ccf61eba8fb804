import { type Answer, HttpSocket, headerOf } from './http-socket.ts'
import type { PagePlace } from './open-pages.ts'
import { type PollingPage, servePollLoad } from './poll-load.ts'

/** A page of Nchan that polls: where it is stands in the headers of the last answer. */
class NchanPolls implements PollingPage {
  readonly #socket: HttpSocket
  readonly #line: string
  #position: string[] = []

  constructor({ port, localAddress, privateToken }: PagePlace) {
    this.#socket = new HttpSocket(port, localAddress)
    this.#line = `GET /poll/${privateToken} HTTP/1.1`
  }

  connected(): Promise<void> {
    return this.#socket.connected()
  }

  async poll(): Promise<Answer> {
    const answer = await this.#socket.exchange([this.#line, ...this.#position])
    const [modified, tag] = ['last-modified', 'etag'].map((name) => headerOf(answer.head, name))
    this.#position = [`If-Modified-Since: ${modified}`, `If-None-Match: ${tag}`]
    return answer
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

servePollLoad((place) => new NchanPolls(place))
