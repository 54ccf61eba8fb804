import type { Context } from 'koa'
import type { ToldError } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CompleteOptions } from '../options.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { headerToken, readBody } from '../subscribe/subscribe-request.ts'
import type { Admissions, AskApp } from './admissions.ts'
import { authorize } from './authorization.ts'
import type { Endpoint } from './guarded.ts'
import type { HeaderSubscriptions } from './header-subscriptions.ts'
import { checkIdentity } from './identity.ts'
import type { Origins } from './origins.ts'
import { readFields } from './request-body.ts'
import type { SubscribeTransports } from './subscribe-transports.ts'
import type { TokenCookie } from './token-cookie.ts'

/** What the subscribe address needs. */
export interface SubscribeParts {
  readonly node: ChannelNode
  readonly options: CompleteOptions
  readonly cookie: TokenCookie
  readonly origins: Origins
  readonly transports: SubscribeTransports
  readonly admissions: Admissions
  readonly byHeaders: HeaderSubscriptions
}

/** The subscribe address: answers with what there is for the client, or holds the request until there is. */
export class SubscribeEndpoint implements Endpoint {
  readonly methods = ['GET', 'POST']
  readonly #parts: SubscribeParts
  readonly #isAppAsked: boolean

  constructor(parts: SubscribeParts) {
    this.#parts = parts
    this.#isAppAsked = asksApp(parts.options)
  }

  handle(ctx: Context): Promise<void> | undefined {
    const { transports, byHeaders } = this.#parts
    const askApp = this.#isAppAsked ? this.#askerFor(ctx) : undefined
    if (ctx.method === 'POST') return this.#handleForm(ctx, askApp)
    if (transports.isNativeEventSource(ctx)) return this.#handleNative(ctx, askApp)
    return byHeaders.subscribe(ctx, headerToken(ctx), askApp)
  }

  answerError(ctx: Context, error: ToldError): boolean {
    const { node, transports } = this.#parts
    const { aspNetComet, eventStream } = transports
    if (transports.speaksAspNetComet(ctx)) {
      const answer = aspNetComet.renderError(error)
      if (error.status === 503) node.lateAnswers.add(ctx, answer, aspNetComet.replaceAfterMs)
      else answerNow(ctx, answer)
      return true
    }
    if (error.status !== 503 || !transports.isNativeEventSource(ctx)) return false
    answerNow(ctx, eventStream.renderTrouble(error))
    return true
  }

  async #handleForm(ctx: Context, askApp: AskApp | undefined): Promise<void> {
    const { node, transports, admissions } = this.#parts
    transports.check(ctx)
    const fields = await readFields(ctx)
    if (!node.isReady) await node.ready()
    const request = readBody(ctx, fields, node.log.epoch)
    await admissions.admit({ ctx, request, transport: transports.byBody(ctx), askApp })
  }

  /** Only who cannot send headers has its token in a cookie: elsewhere one would come along unasked. */
  async #handleNative(ctx: Context, askApp: AskApp | undefined): Promise<void> {
    const { node, transports, cookie, origins, byHeaders } = this.#parts
    transports.check(ctx)
    if (!node.isReady) await node.ready()
    const privateToken = cookie.read(ctx)
    if (privateToken !== undefined) origins.checkCookie(ctx)
    await byHeaders.subscribe(ctx, privateToken, askApp)
  }

  #askerFor(ctx: Context): AskApp {
    const { identify, authorize: ask } = this.#parts.options
    return async (client) => {
      await checkIdentity(ctx, client, identify)
      await authorize(ctx, ask, { kind: 'subscribe', client })
    }
  }
}

/** Whether the app is asked about each request, by functions that take Koa's context. */
export function asksApp({ identify, authorize }: CompleteOptions): boolean {
  return identify !== null || authorize !== null
}
