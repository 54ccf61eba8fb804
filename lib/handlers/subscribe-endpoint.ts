import type { Context } from 'koa'
import type { ToldError } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { headerToken, readBody, readHeaders, type SubscribeRequest } from '../subscribe/subscribe-request.ts'
import { Admissions } from './admissions.ts'
import type { Endpoint } from './guarded.ts'
import type { Origins } from './origins.ts'
import { hasBody, readFields } from './request-body.ts'
import { SubscribeTransports } from './subscribe-transports.ts'
import type { TokenCookie } from './token-cookie.ts'

/** The subscribe address: answers with what there is for the client, or holds the request until there is. */
export class SubscribeEndpoint implements Endpoint {
  readonly methods = ['GET', 'POST']
  readonly #node: ChannelNode
  readonly #cookie: TokenCookie
  readonly #origins: Origins
  readonly #transports: SubscribeTransports
  readonly #admissions: Admissions

  constructor(node: ChannelNode, options: CompleteOptions, cookie: TokenCookie, origins: Origins) {
    this.#node = node
    this.#cookie = cookie
    this.#origins = origins
    this.#transports = new SubscribeTransports(options)
    this.#admissions = new Admissions(node, options)
  }

  handle(ctx: Context): Promise<void> | undefined {
    this.#transports.check(ctx)
    if (ctx.method === 'POST') return this.#handleForm(ctx)
    // Node cuts a held request whose body was never read.
    if (hasBody(ctx))
      throw new CometException('COMET_PARAMETERS_ARE_INVALID', 'A GET request has no body here.')
    if (this.#node.isReady) return this.#admit(ctx, this.#readHeaders(ctx))
    return this.#node.ready().then(() => this.#admit(ctx, this.#readHeaders(ctx)))
  }

  answerError(ctx: Context, error: ToldError): boolean {
    const { aspNetComet, eventStream } = this.#transports
    if (this.#transports.speaksAspNetComet(ctx)) {
      const answer = aspNetComet.renderError(error)
      if (error.status === 503) this.#node.lateAnswers.add(ctx, answer, aspNetComet.replaceAfterMs)
      else answerNow(ctx, answer)
      return true
    }
    if (error.status !== 503 || !this.#transports.isNativeEventSource(ctx)) return false
    answerNow(ctx, eventStream.renderTrouble(error))
    return true
  }

  async #handleForm(ctx: Context): Promise<void> {
    const fields = await readFields(ctx)
    if (!this.#node.isReady) await this.#node.ready()
    await this.#admit(ctx, readBody(ctx, fields, this.#node.log.epoch))
  }

  #admit(ctx: Context, request: SubscribeRequest): Promise<void> | undefined {
    return this.#admissions.admit({ ctx, request, transport: this.#transports.of(ctx) })
  }

  #readHeaders(ctx: Context): SubscribeRequest {
    // Only for who cannot send headers: elsewhere a cookie would come along unasked.
    const token = this.#transports.isNativeEventSource(ctx) ? this.#cookieToken(ctx) : headerToken(ctx)
    return readHeaders(ctx, token)
  }

  #cookieToken(ctx: Context): string | undefined {
    const token = this.#cookie.read(ctx)
    if (token !== undefined) this.#origins.checkCookie(ctx)
    return token
  }
}
