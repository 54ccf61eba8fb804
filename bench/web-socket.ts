import { CountingSocket } from './counting-socket.ts'
import type { PagePlace } from './open-pages.ts'

/** Of the protocol: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
const WHOLE_TEXT = 0x81
const MASKED = 0x80
const LENGTH_IN_TWO_BYTES = 126

/** What a page sends has to be masked: by zeros it stays as it is. */
const MASK = Buffer.alloc(4)

/** A page's WebSocket. What comes is not masked: it is counted as it is. */
export class PageWebSocket extends CountingSocket {
  constructor(place: PagePlace, path: string, got: (messages: number) => void, before?: PageWebSocket) {
    super(place, got, before)
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
    ]
    this.write(`${lines.join('\r\n')}\r\n\r\n`)
  }

  /** Resolves when the server has accepted it. */
  async opened(): Promise<void> {
    await this.came(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/)
  }

  /** Sends less than 64 KiB of ASCII. */
  send(text: string): void {
    this.write(textFrame(text))
  }
}

function textFrame(text: string): Buffer {
  const { length } = text
  const head =
    length < LENGTH_IN_TWO_BYTES
      ? [WHOLE_TEXT, MASKED | length]
      : [WHOLE_TEXT, MASKED | LENGTH_IN_TWO_BYTES, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), MASK, Buffer.from(text)])
}
