import type { Context } from 'koa'
import type { ToldError } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CompleteOptions } from '../options.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { headerToken, readBody } from '../subscribe/subscribe-request.ts'
import type { AskApp } from './admissions.ts'
import { authorize } from './authorization.ts'
import type { Endpoint } from './guarded.ts'
import { HeaderSubscriptions } from './header-subscriptions.ts'
import { checkIdentity } from './identity.ts'
import type { Origins } from './origins.ts'
import { readFields } from './request-body.ts'
import type { TokenCookie } from './token-cookie.ts'

/** The subscribe address: answers with what there is for the client, or holds the request until there is. */
export class SubscribeEndpoint implements Endpoint {
  readonly methods = ['GET', 'POST']
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #cookie: TokenCookie
  readonly #origins: Origins
  readonly #byHeaders: HeaderSubscriptions
  readonly #isAppAsked: boolean

  constructor(node: ChannelNode, options: CompleteOptions, cookie: TokenCookie, origins: Origins) {
    this.#node = node
    this.#options = options
    this.#cookie = cookie
    this.#origins = origins
    this.#byHeaders = new HeaderSubscriptions(node, options)
    this.#isAppAsked = asksApp(options)
  }

  handle(ctx: Context): Promise<void> | undefined {
    const askApp = this.#isAppAsked ? this.#askerFor(ctx) : undefined
    if (ctx.method === 'POST') return this.#handleForm(ctx, askApp)
    // Only for who cannot send headers: elsewhere a cookie would come along unasked.
    const isNative = this.#byHeaders.transports.isNativeEventSource(ctx)
    return this.#byHeaders.subscribe(ctx, isNative ? this.#cookieToken(ctx) : headerToken(ctx), askApp)
  }

  answerError(ctx: Context, error: ToldError): boolean {
    const { transports } = this.#byHeaders
    const { aspNetComet, eventStream } = transports
    if (transports.speaksAspNetComet(ctx)) {
      const answer = aspNetComet.renderError(error)
      if (error.status === 503) this.#node.lateAnswers.add(ctx, answer, aspNetComet.replaceAfterMs)
      else answerNow(ctx, answer)
      return true
    }
    if (error.status !== 503 || !transports.isNativeEventSource(ctx)) return false
    answerNow(ctx, eventStream.renderTrouble(error))
    return true
  }

  async #handleForm(ctx: Context, askApp: AskApp | undefined): Promise<void> {
    const { transports, admissions } = this.#byHeaders
    transports.check(ctx)
    const fields = await readFields(ctx)
    if (!this.#node.isReady) await this.#node.ready()
    const request = readBody(ctx, fields, this.#node.log.epoch)
    await admissions.admit({ ctx, request, transport: transports.byBody(ctx), askApp })
  }

  #askerFor(ctx: Context): AskApp {
    const { identify, authorize: ask } = this.#options
    return async (client) => {
      await checkIdentity(ctx, client, identify)
      await authorize(ctx, ask, { kind: 'subscribe', client })
    }
  }

  #cookieToken(ctx: Context): string | undefined {
    const token = this.#cookie.read(ctx)
    if (token !== undefined) this.#origins.checkCookie(ctx)
    return token
  }
}

/** Whether the app is asked about each request, by functions that take Koa's context. */
export function asksApp({ identify, authorize }: CompleteOptions): boolean {
  return identify !== null || authorize !== null
}
