import type { PagePlace } from './open-pages.ts'
import { serveStreamLoad } from './stream-load.ts'
import { PageWebSocket } from './web-socket.ts'

/** A page of socket.io with a WebSocket: https://socket.io/docs/v4/engine-io-protocol/, without its timers. */
class SocketIoStream extends PageWebSocket {
  readonly #before: SocketIoStream | undefined
  /** Says to a server that keeps what pages miss who this is. */
  #pid = ''

  constructor(place: PagePlace, got: (messages: number) => void, before?: SocketIoStream) {
    super(place, '/socket.io/?EIO=4&transport=websocket', got, before)
    this.#before = before
  }

  override async opened(): Promise<void> {
    await this.came(/0\{"sid":/)
    const before = this.#before && { pid: this.#before.#pid, offset: this.#before.#offset }
    this.send(`40${before ? JSON.stringify(before) : ''}`)
    const [, pid] = await this.came(/40\{"sid":"[^"]*"(?:,"pid":"([^"]*)")?\}/)
    this.#pid = pid ?? ''
  }

  /** Of the last message. */
  get #offset(): string {
    return [...this.last.matchAll(/"n":"Bench"[^}]*\},"([^"]*)"\]/g)].at(-1)?.[1] ?? ''
  }
}

serveStreamLoad<SocketIoStream>((place, got, before) => new SocketIoStream(place, got, before))
