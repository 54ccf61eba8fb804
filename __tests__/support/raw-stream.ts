import { RESERVED_PREFIX, type WireMessage } from '../../lib/wire.ts'
import { eventually } from './eventually.ts'

/** What lies between two empty lines of a stream, as this server writes it: each field at most once, but data. */
export interface Block {
  readonly id?: string
  readonly retryMs?: number
  readonly data?: WireMessage
  readonly comment?: string
}

export interface StreamOptions {
  readonly cursor?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One stream of a page: what came, block by block, in the order in which it came. */
export class RawStream {
  readonly status: number
  readonly headers: Headers
  readonly blocks: Block[] = []
  /** The whole body so far. */
  text = ''
  /** How it ended: by the server, or cut. */
  ending: 'ended' | 'cut' | undefined
  readonly #giveUp: AbortController
  #parsed = 0
  #tellOfMore = (): void => undefined
  #more = new Promise<void>((resolve) => {
    this.#tellOfMore = resolve
  })

  static async open(
    url: string,
    privateToken: string | undefined,
    { cursor, headers, signal }: StreamOptions = {},
  ): Promise<RawStream> {
    const giveUp = new AbortController()
    const response = await fetch(url, {
      headers: {
        Accept: 'text/event-stream',
        ...(privateToken !== undefined && { Authorization: `Bearer ${privateToken}` }),
        ...(cursor !== undefined && { 'Last-Event-ID': cursor }),
        ...headers,
      },
      signal: signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal,
    })
    const stream = new RawStream(response, giveUp)
    void stream.#read(response)
    return stream
  }

  private constructor({ status, headers }: Response, giveUp: AbortController) {
    this.status = status
    this.headers = headers
    this.#giveUp = giveUp
  }

  /** What the blocks said, control messages among them. */
  get told(): readonly WireMessage[] {
    return this.blocks.flatMap(({ data }) => data ?? [])
  }

  /** The app's messages. */
  get messages(): readonly WireMessage[] {
    return this.told.filter(({ n }) => !n.startsWith(RESERVED_PREFIX))
  }

  get contents(): readonly unknown[] {
    return this.messages.map(({ c }) => c)
  }

  /** What a page would send as `Last-Event-ID` now. */
  get cursor(): string | undefined {
    return this.blocks.findLast(({ id }) => id !== undefined)?.id
  }

  /** Resolves when it has come so far. */
  async until(condition: (stream: RawStream) => boolean): Promise<this> {
    await eventually(() => condition(this))
    return this
  }

  /** Resolves when more has come than at the time of the call, or the end. */
  more(): Promise<void> {
    return this.#more
  }

  /** The page goes away. What comes after that it does not see. */
  async close(): Promise<void> {
    this.#giveUp.abort()
    // Of an answer that is just being completed, fetch may tell neither its end nor the abort.
    this.#end('cut')
  }

  async #read({ body }: Response): Promise<void> {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of body ?? []) {
        if (this.ending !== undefined) return
        this.text += decoder.decode(chunk as Uint8Array, { stream: true })
        this.#parse()
        this.#tell()
      }
      this.#end('ended')
    } catch {
      this.#end('cut')
    }
  }

  #end(ending: 'ended' | 'cut'): void {
    this.ending ??= ending
    this.#tell()
  }

  #tell(): void {
    this.#tellOfMore()
    this.#more = new Promise((resolve) => {
      this.#tellOfMore = resolve
    })
  }

  #parse(): void {
    for (;;) {
      const end = this.text.indexOf('\n\n', this.#parsed)
      if (end === -1) return
      this.blocks.push(blockOf(this.text.slice(this.#parsed, end)))
      this.#parsed = end + 2
    }
  }
}

function blockOf(text: string): Block {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ')
    fields.set(line.slice(0, colon), line.slice(colon + 2))
  }
  const [id, retry, data, comment] = ['id', 'retry', 'data', ''].map((field) => fields.get(field))
  return {
    ...(id !== undefined && { id }),
    ...(retry !== undefined && { retryMs: Number(retry) }),
    ...(data !== undefined && { data: JSON.parse(data) as WireMessage }),
    ...(comment !== undefined && { comment }),
  }
}
