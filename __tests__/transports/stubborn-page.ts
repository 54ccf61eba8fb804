import type { ResetContents, WireMessage } from '../../lib/wire.ts'
import type { LocalSocket } from '../support/local-socket.ts'
import { StallingReader } from '../support/stalling-reader.ts'

/** What a page does not come back from. */
const FINAL_STATUSES = [204, 401, 403]
const FINAL_CODES = ['COMET_CLIENT_IS_STOPPED', 'COMET_TOKEN_IS_UNKNOWN']

/** A page over streams that comes again from where it was, however often it is cut, until it is told to stay away. */
export class StubbornPage {
  /** The ids of the messages that it has seen, as they came. */
  readonly seen: number[] = []
  /** Between these ids it was told that it may have missed something. */
  readonly resets: { readonly after: number; readonly through: number }[] = []
  /** How many of them its newest request of the time was told: an older one may tell of the same loss once more. */
  resetsOfNewest = 0
  /** From where on nothing may be missing: the position that it was first answered with. */
  start: number | undefined
  isOver = false
  readonly publicToken: string
  readonly #where: LocalSocket['where']
  readonly #privateToken: string
  readonly #pageId: string
  #wasAnswered = false
  #cursor: string | undefined
  #readers: StallingReader[] = []

  constructor(
    where: LocalSocket['where'],
    tokens: { readonly publicToken: string; readonly privateToken: string },
    pageId: string,
  ) {
    this.publicToken = tokens.publicToken
    this.#where = where
    this.#privateToken = tokens.privateToken
    this.#pageId = pageId
    this.ask()
  }

  /** The last message that it has seen. */
  get last(): number {
    return this.seen.at(-1) ?? 0
  }

  /** Asks, be it that an older request is still open. */
  ask(): void {
    const headers = { 'Comet-Page': this.#wasAnswered ? this.#pageId : `${this.#pageId};new` }
    const take = (message: WireMessage): void => this.#take(reader, message)
    const reader = new StallingReader(this.#where, this.#privateToken, take, {
      cursor: this.#cursor,
      headers,
    })
    this.#readers.push(reader)
    reader.socket.on('data', () => this.#look(reader))
    reader.socket.on('close', () => this.#goOn(reader))
  }

  stall(): void {
    this.#readers.at(-1)?.stall()
  }

  readOn(): void {
    for (const reader of this.#readers) reader.readOn()
  }

  /** Its network goes. */
  cut(): void {
    this.#readers.at(-1)?.socket.destroy()
  }

  async leave(): Promise<void> {
    this.isOver = true
    for (const reader of [...this.#readers]) await reader.close()
  }

  #take(reader: StallingReader, { mid, n, c, code }: WireMessage): void {
    this.#noteStart(reader)
    if (n === 'aspNetComet.error' && FINAL_CODES.includes(code!)) this.isOver = true
    if (n === 'aspNetComet.replaced' && c === null) this.isOver = true
    if (n === 'aspNetComet.reset') {
      const { messageId } = c as ResetContents
      this.resets.push({ after: Math.max(this.last, this.start!), through: messageId })
      if (reader === this.#readers.at(-1)) this.resetsOfNewest += 1
    }
    // What it has seen it drops; and what an older request brings late, of before the newest one's beginning.
    if (n === 'M' && mid > Math.max(this.last, this.start!)) this.seen.push(mid)
  }

  /** What has come by now is in whole blocks. */
  #look(reader: StallingReader): void {
    if (FINAL_STATUSES.includes(reader.status)) this.isOver = true
    // Only the newest request is asked from where the page is now.
    if (reader === this.#readers.at(-1)) this.#cursor = reader.cursor ?? this.#cursor
    if (reader.ending === 'ended') reader.socket.destroy()
  }

  #noteStart(reader: StallingReader): void {
    this.#wasAnswered = true
    this.start ??= Number(/^Comet-Cursor: [^:]+:(\d+)/im.exec(reader.head)![1])
  }

  #goOn(reader: StallingReader): void {
    const isNewest = reader === this.#readers.at(-1)
    this.#readers = this.#readers.filter((each) => each !== reader)
    if (isNewest && !this.isOver) this.ask()
  }
}
