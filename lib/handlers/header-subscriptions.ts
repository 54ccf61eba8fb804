import type { ChannelNode } from '../channel-node.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import { headerToken, readHeaders } from '../subscribe/subscribe-request.ts'
import { Admissions, type AskApp } from './admissions.ts'
import type { Endpoint } from './guarded.ts'
import { hasBody } from './request-body.ts'
import { SubscribeTransports } from './subscribe-transports.ts'

/** Subscribe requests that say all in their headers. Nothing here needs Koa. */
export class HeaderSubscriptions implements Endpoint<SubscribeContext> {
  readonly methods = ['GET']
  readonly transports: SubscribeTransports
  readonly admissions: Admissions
  readonly #node: ChannelNode

  constructor(node: ChannelNode, options: CompleteOptions) {
    this.#node = node
    this.transports = new SubscribeTransports(options)
    this.admissions = new Admissions(node, options)
  }

  handle(ctx: SubscribeContext): Promise<void> | undefined {
    return this.subscribe(ctx, headerToken(ctx))
  }

  /**
   * @param privateToken `undefined` if there is none
   * @param askApp absent if nobody is to be asked
   */
  subscribe(
    ctx: SubscribeContext,
    privateToken: string | undefined,
    askApp?: AskApp,
  ): Promise<void> | undefined {
    const transport = this.transports.byHeaders(ctx)
    // Node cuts a held request whose body was never read.
    if (hasBody(ctx))
      throw new CometException('COMET_PARAMETERS_ARE_INVALID', 'A GET request has no body here.')
    if (!this.#node.isReady) return this.#subscribeWhenReady(ctx, privateToken, askApp)
    return this.admissions.admit({ ctx, request: readHeaders(ctx, privateToken), transport, askApp })
  }

  async #subscribeWhenReady(...asked: Parameters<HeaderSubscriptions['subscribe']>): Promise<void> {
    await this.#node.ready()
    await this.subscribe(...asked)
  }
}
