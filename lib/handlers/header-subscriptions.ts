import type { ChannelNode } from '../channel-node.ts'
import { CometException } from '../comet-exception.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import { headerToken, readHeaders } from '../subscribe/subscribe-request.ts'
import type { Admissions, AskApp } from './admissions.ts'
import type { Endpoint } from './guarded.ts'
import { hasBody } from './request-body.ts'
import type { SubscribeTransports } from './subscribe-transports.ts'

/** Subscribe requests that say all in their headers. Nothing here needs Koa. */
export class HeaderSubscriptions implements Endpoint<SubscribeContext> {
  readonly methods = ['GET']
  readonly #node: ChannelNode
  readonly #transports: SubscribeTransports
  readonly #admissions: Admissions

  constructor(node: ChannelNode, transports: SubscribeTransports, admissions: Admissions) {
    this.#node = node
    this.#transports = transports
    this.#admissions = admissions
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
    const transport = this.#transports.byHeaders(ctx)
    // Node cuts a held request whose body was never read.
    if (hasBody(ctx))
      throw new CometException('COMET_PARAMETERS_ARE_INVALID', 'A GET request has no body here.')
    if (!this.#node.isReady) return this.#subscribeWhenReady(ctx, privateToken, askApp)
    return this.#admissions.admit({ ctx, request: readHeaders(ctx, privateToken), transport, askApp })
  }

  async #subscribeWhenReady(...request: Parameters<HeaderSubscriptions['subscribe']>): Promise<void> {
    await this.#node.ready()
    await this.subscribe(...request)
  }
}
