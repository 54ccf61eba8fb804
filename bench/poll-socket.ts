import { type Answer, HttpSocket, headerOf } from './http-socket.ts'

/** A page that polls a channel. */
export class PollSocket {
  readonly #socket: HttpSocket
  readonly #authorization: string
  readonly #page: string
  #cursor = ''

  constructor(port: number, localAddress: string, privateToken: string, page: string) {
    this.#authorization = `Authorization: Bearer ${privateToken}`
    this.#page = page
    this.#socket = new HttpSocket(port, localAddress)
  }

  connected(): Promise<void> {
    return this.#socket.connected()
  }

  /** Sends a poll. Resolves with its answer. */
  async poll(): Promise<Answer> {
    const isNew = this.#cursor === ''
    const answer = await this.#socket.exchange([
      'GET /comet HTTP/1.1',
      this.#authorization,
      'Accept: application/json',
      `Comet-Page: ${this.#page}${isNew ? ';new' : ''}`,
      ...(isNew ? [] : [`Last-Event-ID: ${this.#cursor}`]),
    ])
    this.#cursor = headerOf(answer.head, 'comet-cursor') ?? ''
    return answer
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
