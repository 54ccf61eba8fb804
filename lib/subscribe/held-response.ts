import { type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Context } from 'koa'
import type { Answer } from '../answer.ts'
import { BareContext, type SubscribeContext } from './bare-context.ts'
import { isGone } from './is-gone.ts'
import type { StreamFrame } from './stream-frame.ts'
import { StreamWriter } from './stream-writer.ts'
import { UnfinishedAnswer } from './unfinished-answer.ts'

/** Whoever holds a response is told of what happens to it. */
export interface ResponseOwner {
  /** All else of the request is done, by Koa or whatever stands for it: from now on answers leave at once. Called at most once. */
  released(): void
  /** A connection that was choked takes more. */
  drained(): void
  /** The answer has been sent whole, and its reader has not taken all of it yet. */
  unfinished?(answer: UnfinishedAnswer): void
  /** The response is over, answered or not. Called once. */
  closed(): void
}

const held = Symbol('koa-comet held response')

type HoldingResponse = ServerResponse & { [held]?: HeldResponse }

/**
 * Koa reads `ctx.respond` as its last step, when all middleware has unwound: sessions are saved, headers are set.
 * One descriptor for all requests, so that they share a hidden class.
 */
const RESPOND: PropertyDescriptor & ThisType<{ readonly res: HoldingResponse }> = {
  configurable: true,
  get() {
    this.res[held]?.release()
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
  #writer: StreamWriter | undefined

  /** Takes the response of a request whose middleware is about to return. */
  constructor(ctx: SubscribeContext, owner: ResponseOwner) {
    this.#res = ctx.res
    this.#owner = owner
    ctx.res.statusCode = 200
    ;(ctx.res as HoldingResponse)[held] = this
    if (ctx instanceof BareContext) {
      ctx.hold(this)
    } else {
      ctx.compress = false
      Object.defineProperty(ctx, 'respond', RESPOND)
    }
    // Nobody else holds it. Not once(), nor a closure for each: they take more memory than all else here.
    ctx.res.on('close', onClose)
  }

  get released(): boolean {
    return this.#released
  }

  /** Whether an answer in pieces has begun. */
  get hasBegun(): boolean {
    return this.#writer !== undefined
  }

  /** Whether the connection has not taken the last piece yet: `drained` tells when it has. */
  get isChoked(): boolean {
    return this.#writer?.isChoked === true
  }

  /** The response is over. */
  closed(): void {
    this.#owner.closed()
  }

  /** Koa has unwound. Later calls do nothing. */
  release(): void {
    if (this.#released) return
    this.#released = true
    if (this.#pending) this.send(this.#pending)
    else this.#owner.released()
  }

  /**
   * Answers, or does so as soon as Koa has unwound. Does nothing on a response that is over, and cuts one that somebody
   * else has begun.
   */
  send(answer: Answer): void {
    if (!this.#released) this.#pending = answer
    else if (guarded(this.#res, sendAnswer, answer)) this.#watch()
  }

  /** Begins an answer in pieces. Only when Koa has unwound. */
  begin(headers: Answer['headers'], first: StreamFrame): void {
    guarded(this.#res, (res) => {
      writeHead(res, 200, headers)
      this.#writer = new StreamWriter(res, this.#owner, first)
      forgetHead(res)
    })
  }

  /** Adds a piece. Only when it has begun and is not choked. */
  write(frame: StreamFrame): void {
    this.#writer?.write(frame)
  }

  /**
   * Ends an answer in pieces with a last one.
   * @param isLeft whether the connection is to take no other request. Its head has left: too late to say so there.
   */
  end(last: string, isLeft = false): void {
    this.#writer?.flush()
    const isEnded = guarded(this.#res, (res) => {
      res.end(last)
      // Over HTTP/2 a connection is not one stream's to end.
      if (isLeft && isHttp1(res)) res.socket?.end()
    })
    if (isEnded) this.#watch()
  }

  /** Most readers have taken all of it by now. */
  #watch(): void {
    if (!this.#res.writableFinished) this.#owner.unfinished?.(new UnfinishedAnswer(this.#res))
  }
}

/** Does nothing on a response that is over. Returns whether it was written. */
function guarded<W extends unknown[]>(
  res: ServerResponse,
  write: (res: ServerResponse, ...what: W) => void,
  ...what: W
): boolean {
  if (res.writableEnded || isGone(res)) return false
  try {
    write(res, ...what)
    return true
  } catch {
    // Somebody else has spoiled this response. Its page asks again; the others must not suffer.
    res.destroy()
    return false
  }
}

function onClose(this: HoldingResponse): void {
  this[held]?.closed()
}

function sendAnswer(res: ServerResponse, { status, headers, body }: Answer): void {
  const sent: OutgoingHttpHeaders = { ...headersFor(res, headers) }
  // What is told to many has it already.
  if (status !== 204) sent['Content-Length'] ??= Buffer.byteLength(body)
  writeHead(res, status, sent)
  res.end(body)
}

/**
 * Not by setHeader: Node would keep a list for each header, and all of them for as long as a stream is open.
 * @param headers of this response alone: the app may have a hook in `writeHead` that adds to them
 */
function writeHead(res: ServerResponse, status: number, headers: OutgoingHttpHeaders): void {
  // An earlier middleware may have set another text. HTTP/2 has none, and warns of it.
  if (isHttp1(res)) res.statusMessage = STATUS_CODES[status] ?? ''
  res.writeHead(status, headers)
}

/** HTTP/2 has no connection header, and warns of it. */
function headersFor(res: ServerResponse, headers: Answer['headers']): Answer['headers'] {
  if (isHttp1(res) || headers.Connection === undefined) return headers
  const { Connection, ...rest } = headers
  return rest
}

function isHttp1(res: ServerResponse): boolean {
  return res.req.httpVersionMajor < 2
}

/**
 * Node keeps the head that it has written, 0.5 kB or more for each open stream, and from then on only looks whether it
 * has one: one text is enough for all.
 */
function forgetHead(res: ServerResponse & { _header?: unknown; readonly _headerSent?: boolean }): void {
  // Over HTTP/2 it is no text.
  if (typeof res._header === 'string' && res._headerSent) res._header = SENT_HEAD
}

const SENT_HEAD = 'HTTP/1.1 200 OK\r\n\r\n'

/** Answers through Koa, in the middleware's own time, where there is Koa. Returns the answer on its way. */
export function answerNow(ctx: SubscribeContext, answer: Answer): UnfinishedAnswer {
  const { res } = ctx
  if (ctx instanceof BareContext) ctx.hold({ release: () => guarded(res, sendAnswer, answer) })
  else setAnswer(ctx, answer)
  return new UnfinishedAnswer(res, answer.body.length)
}

function setAnswer(ctx: Context, { status, headers, body }: Answer): void {
  ctx.compress = false
  ctx.status = status
  const sent = headersFor(ctx.res, headers)
  for (const name of Object.keys(sent)) ctx.res.setHeader(name, sent[name]!)
  ctx.body = status === 204 ? null : body
}
