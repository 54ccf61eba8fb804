import type { ServerResponse } from 'node:http'
import type { Context } from 'koa'
import type { Answer } from '../answer.ts'

/** Whoever holds a response is told of what happens to it. */
export interface ResponseOwner {
  /** Koa is done with the request: from now on answers leave at once. Called at most once. */
  released(): void
  /** The response is over, answered or not. Called once. */
  closed(): void
}

const held = Symbol('koa-comet held response')

type HoldingContext = Context & { [held]?: HeldResponse }

/**
 * Koa reads `ctx.respond` as its last step, when all middleware has unwound: sessions are saved, headers are set.
 * One descriptor for all requests, so that they share a hidden class.
 */
const RESPOND: PropertyDescriptor & ThisType<HoldingContext> = {
  configurable: true,
  get() {
    this[held]?.release()
    return false
  },
  set() {
    // Whoever sets it meant to keep Koa from responding, or wants it to: the request is held either way.
  },
}

/**
 * A response that is answered later, past Koa. No byte leaves before Koa has unwound, and no write can throw into
 * whoever answers many. Holds on to the response and nothing else of the request.
 */
export class HeldResponse {
  readonly #res: ServerResponse
  readonly #owner: ResponseOwner
  #released = false
  #pending: Answer | undefined

  /** Takes the response of a request whose middleware is about to return. */
  constructor(ctx: Context, owner: ResponseOwner) {
    this.#res = ctx.res
    this.#owner = owner
    ctx.status = 200
    ctx.compress = false
    ;(ctx as HoldingContext)[held] = this
    Object.defineProperty(ctx, 'respond', RESPOND)
    // Not once(): its wrapper takes more memory than all else here.
    this.#res.on('close', () => owner.closed())
  }

  get released(): boolean {
    return this.#released
  }

  /** Koa has unwound. Later calls do nothing. */
  release(): void {
    if (this.#released) return
    this.#released = true
    if (this.#pending) this.send(this.#pending)
    else this.#owner.released()
  }

  /** Answers, or does so as soon as Koa has unwound. Does nothing on a response that is over. */
  send(answer: Answer): void {
    if (!this.#released) this.#pending = answer
    else sendAnswer(this.#res, answer)
  }
}

function sendAnswer(res: ServerResponse, { status, headers, body }: Answer): void {
  if (res.headersSent || res.writableEnded || isGone(res)) return
  try {
    res.statusCode = status
    for (const name of Object.keys(headers)) setHeader(res, name, headers[name]!)
    res.setHeader('Content-Length', Buffer.byteLength(body))
    res.end(body)
  } catch {
    // Somebody else has spoiled this response. Its page asks again; the others must not suffer.
    res.destroy()
  }
}

/** Whether a response's connection or stream is gone. One that is gone already will not tell so again. */
export function isGone(res: ServerResponse & { readonly stream?: { readonly destroyed: boolean } }): boolean {
  // The compatibility API of HTTP/2 has neither property, but the stream.
  return res.destroyed || res.closed || res.stream?.destroyed === true
}

function setHeader(res: ServerResponse, name: string, value: string): void {
  // HTTP/2 has no connection header and warns of it.
  if (name === 'Connection' && res.req.httpVersionMajor >= 2) return
  res.setHeader(name, value)
}

/** Answers through Koa, in the middleware's own time. */
export function answerNow(ctx: Context, { status, headers, body }: Answer): void {
  ctx.compress = false
  ctx.status = status
  for (const name of Object.keys(headers)) setHeader(ctx.res, name, headers[name]!)
  ctx.body = body
}
