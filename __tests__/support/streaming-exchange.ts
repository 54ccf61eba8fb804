import { ControlName, type WireMessage } from '../../lib/wire.ts'
import type { Asking, Exchange, TestTransport, Told } from './exchange.ts'
import { type Block, RawStream } from './raw-stream.ts'

/** What a stream is told last. A deliberate end without such a word is a poll's timeout. */
const ENDINGS: readonly string[] = [ControlName.replaced, ControlName.error]

const isTold = ({ data }: Block): boolean => data !== undefined && data.n !== ControlName.opened
const isEnding = ({ data }: Block): boolean => data !== undefined && ENDINGS.includes(data.n)
const isPosition = ({ id }: Block): boolean => id !== undefined
const hasBegun = ({ blocks }: RawStream): boolean => blocks.some(isPosition)

/** One stream. It goes on after messages, until it is told an ending or its page drops it. */
class StreamingExchange implements Exchange {
  readonly #url: string
  readonly #privateToken: string
  readonly #asking: Asking
  readonly #leaving = new AbortController()
  readonly #opening: Promise<RawStream>
  /** How many blocks the page has been given. */
  #taken = 0
  #isOver = false

  constructor(url: string, privateToken: string, asking: Asking) {
    this.#url = url
    this.#privateToken = privateToken
    this.#asking = asking
    this.#opening = this.#open(asking)
    // Who drops it may never have asked for anything.
    this.#opening.catch(() => undefined)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  async begun(): Promise<Told> {
    const stream = await this.#until(hasBegun)
    return stream.ending === undefined ? this.#take(stream) : this.next()
  }

  async next(): Promise<Told> {
    // Who does not wait is given all there is.
    const isPatient = this.#asking.waitSeconds !== 0
    const stream = await this.#until((each) => isPatient && this.#news(each).length > 0)
    if (this.#news(stream).length === 0) return this.#end(stream)
    const told = this.#take(stream)
    return isEnding(stream.blocks[this.#taken - 1]!) ? this.#confirm(told) : told
  }

  async drop(): Promise<Told | undefined> {
    this.#isOver = true
    this.#leaving.abort()
    const stream = await this.#opening.catch(() => undefined)
    await stream?.close()
    return stream?.status === 200 ? this.#take(stream) : undefined
  }

  #open({ cursor, headers, waitSeconds }: Asking): Promise<RawStream> {
    const prefer = waitSeconds !== undefined && { Prefer: `wait=${waitSeconds}` }
    return RawStream.open(this.#url, this.#privateToken, {
      cursor,
      headers: { ...prefer, ...headers },
      signal: this.#leaving.signal,
    })
  }

  async #until(condition: (stream: RawStream) => boolean): Promise<RawStream> {
    const stream = await this.#opening
    while (stream.ending === undefined && !condition(stream)) await stream.more()
    return stream
  }

  #news({ blocks }: RawStream): readonly Block[] {
    return blocks.slice(this.#taken).filter(isTold)
  }

  /** Gives what came up to the next ending, or the ending if that is next. */
  #take(stream: RawStream): Told {
    const from = this.#taken
    const ending = stream.blocks.findIndex((block, index) => index >= from && isEnding(block))
    const isNext = ending !== -1 && !stream.blocks.slice(from, ending).some(isTold)
    this.#taken = ending === -1 ? stream.blocks.length : ending + (isNext ? 1 : 0)
    if (isNext) this.#isOver = true
    return this.#told(stream, stream.blocks.slice(from, this.#taken).filter(isTold))
  }

  /** Nothing more was told. */
  #end(stream: RawStream): Told {
    if (stream.ending === 'cut') throw new Error('the stream was cut')
    this.#isOver = true
    this.#taken = stream.blocks.length
    if (stream.status === 204) return this.#told(stream, [replacedBlock])
    if (stream.status !== 200) return refused(stream)
    const last = stream.blocks.at(-1)
    if (last === undefined || Object.keys(last).join() !== 'retryMs')
      throw new Error('it ended without a word')
    const { cursor } = this.#told(stream, [])
    const mid = Number(cursor?.split(':')[1])
    return { ...this.#told(stream, [{ data: { mid, n: ControlName.timeout, c: null } }]), isSentAway: true }
  }

  /** An error in a stream says why it ends. Its page asks anew at once, and is told the truthful status. */
  async #confirm(told: Told): Promise<Told> {
    if (told.messages[0]?.n !== ControlName.error) return told
    const page = this.#asking.headers?.['Comet-Page']?.replace(';new', '')
    const again = await this.#open({
      cursor: told.cursor ?? undefined,
      headers: { ...this.#asking.headers, ...(page !== undefined && { 'Comet-Page': page }) },
    })
    if (again.status === 200) await again.close()
    const { status, headers } = again
    return { ...told, status, headers, cursor: null, outcome: null, isSentAway: isLater(again) }
  }

  #told(stream: RawStream, blocks: readonly Block[]): Told {
    const { status, headers, text } = stream
    const messages = blocks.flatMap(({ data }) => data ?? [])
    const isReset = messages.some(({ n }) => n === ControlName.reset)
    const position = stream.blocks.slice(0, this.#taken).findLast(isPosition)?.id
    return {
      status,
      headers,
      cursor: position ?? headers.get('comet-cursor') ?? this.#asking.cursor ?? null,
      outcome: isReset ? 'reset' : 'resumed',
      messages,
      body: text,
      isSentAway: false,
    }
  }
}

/** A page that is not this client's any more is told so by a status alone. */
const replacedBlock: Block = { data: { mid: 0, n: ControlName.replaced, c: null } }

function refused(stream: RawStream): Told {
  const { status, headers, text } = stream
  const messages = JSON.parse(text) as WireMessage[]
  return { status, headers, cursor: null, outcome: null, messages, body: text, isSentAway: isLater(stream) }
}

function isLater({ headers }: RawStream): boolean {
  return headers.get('connection') === 'close' && Number(headers.get('retry-after')) > 0
}

export const STREAMING: TestTransport = {
  name: 'streaming',
  accept: 'text/event-stream',
  open: (url, privateToken, asking = {}) => new StreamingExchange(url, privateToken, asking),
  visit: (url, privateToken, asking = {}) => new StreamingExchange(url, privateToken, asking),
}
