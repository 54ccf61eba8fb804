import { CLIENT_ID, connect, handshake, subscribe } from './bayeux.ts'
import type { PagePlace } from './open-pages.ts'
import { serveStreamLoad } from './stream-load.ts'
import { PageWebSocket } from './web-socket.ts'

const TYPE = 'websocket'

class FayeStream extends PageWebSocket {
  readonly #page: string

  constructor(place: PagePlace, got: (messages: number) => void) {
    super(place, '/faye', got)
    this.#page = place.privateToken
  }

  override async opened(): Promise<void> {
    await super.opened()
    this.send(handshake(TYPE))
    const [, clientId] = await this.came(CLIENT_ID)
    this.send(subscribe(clientId!, this.#page))
    await this.came(/"channel":"\/meta\/subscribe","successful":true/)
    this.send(connect(clientId!, TYPE))
  }
}

serveStreamLoad<FayeStream>((place, got) => new FayeStream(place, got))
