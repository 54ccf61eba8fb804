import type { Context } from 'koa'
import { checkText } from '../checks.ts'
import { CometException } from '../comet-exception.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { replyAnswer } from '../upstream/reply.ts'
import type { Upstream, UpstreamMessage } from '../upstream/upstream.ts'
import type { ClientRequests } from './client-requests.ts'
import type { Endpoint } from './guarded.ts'
import { parserOf, readFields } from './request-body.ts'

/** What a name, a key and the JSON around them may take beside the contents. */
const ENVELOPE_BYTES = 2048

/** How deep contents may be nested: deeper ones no recursive function of an app would stand. */
const MAX_DEPTH = 100

/** `POST …/send` with `{ n, c, key }`: a page sends the app something, and is told what its handler gives. */
export class SendEndpoint implements Endpoint {
  readonly methods = ['POST']
  readonly #upstream: Upstream
  readonly #requests: ClientRequests
  readonly #maxBytes: number
  readonly #parse: ReturnType<typeof parserOf>

  /** @param maxBytes of the contents, as JSON */
  constructor(upstream: Upstream, requests: ClientRequests, maxBytes: number) {
    this.#upstream = upstream
    this.#requests = requests
    this.#maxBytes = maxBytes
    this.#parse = parserOf(maxBytes + ENVELOPE_BYTES)
  }

  async handle(ctx: Context): Promise<void> {
    const message = this.#checked(await readFields(ctx, this.#parse))
    const lease = await this.#requests.clientOf(ctx)
    const { client } = lease
    const allow = () => this.#requests.authorize(ctx, { kind: 'send', client, name: message.name })
    answerNow(ctx, replyAnswer(await this.#upstream.send(lease, { ...message, ctx, allow })))
  }

  #checked({
    n: name,
    c: contents,
    key,
  }: Readonly<Record<string, unknown>>): Omit<UpstreamMessage, 'ctx' | 'allow'> {
    checkText('n', name, 128)
    if (key !== undefined) checkText('key', key, 128)
    checkDepth(contents)
    const bytes = contents === undefined ? 0 : Buffer.byteLength(JSON.stringify(contents))
    if (bytes > this.#maxBytes) {
      const text = `The contents take ${bytes} bytes of JSON; a page may send ${this.#maxBytes}.`
      throw new CometException('COMET_MESSAGE_IS_TOO_LARGE', text)
    }
    return { name, contents, key }
  }
}

function checkDepth(contents: unknown): void {
  let level: unknown[] = [contents]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      throw new CometException(
        'COMET_PARAMETERS_ARE_INVALID',
        `c must be nested no deeper than ${MAX_DEPTH}.`,
      )
    }
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    )
  }
}
