import { CountingSocket } from './counting-socket.ts'
import type { PagePlace } from './open-pages.ts'
import type { StreamPage } from './stream-load.ts'

const ID = /^id: ?(.*)$/gm

/** One page's stream of server-sent events. */
export class StreamSocket extends CountingSocket implements StreamPage {
  /** @param lines those of the request that its page begins with, but `Host` */
  constructor(
    place: PagePlace,
    lines: readonly string[],
    got: (messages: number) => void,
    before?: StreamSocket,
    mark?: string,
  ) {
    super(place, got, before, mark)
    const from = before ? [`Last-Event-ID: ${before.lastEventId}`] : []
    const [first, ...others] = lines
    const head = [first, 'Host: 127.0.0.1', 'Accept: text/event-stream', ...others, ...from].join('\r\n')
    this.write(`${head}\r\n\r\n`)
  }

  /** The last that came. */
  get lastEventId(): string {
    return [...this.last.matchAll(ID)].at(-1)?.[1] ?? ''
  }

  /** Resolves when the head has come. */
  async opened(): Promise<void> {
    await this.came(/\r\n\r\n/)
  }
}
