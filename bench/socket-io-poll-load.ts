import { HttpSocket } from './http-socket.ts'
import { type PollingPage, servePollLoad } from './poll-load.ts'

/** A page of socket.io that polls: https://socket.io/docs/v4/engine-io-protocol/, without its timers. */
class SocketIoPage implements PollingPage {
  readonly #socket: HttpSocket
  #path = '/socket.io/?EIO=4&transport=polling'

  constructor(port: number, localAddress: string) {
    this.#socket = new HttpSocket(port, localAddress)
  }

  async connected(): Promise<void> {
    await this.#socket.connected()
    const { body } = await this.poll()
    const { sid } = JSON.parse(body.slice(1)) as { sid: string }
    this.#path += `&sid=${sid}`
    await this.#socket.exchange([`POST ${this.#path} HTTP/1.1`, 'Content-Type: text/plain'], '40')
  }

  poll() {
    return this.#socket.exchange([`GET ${this.#path} HTTP/1.1`])
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

servePollLoad(({ port, localAddress }) => new SocketIoPage(port, localAddress))
