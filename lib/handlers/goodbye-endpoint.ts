import type { Context } from 'koa'
import { COMMON_HEADERS } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import { CometException } from '../comet-exception.ts'
import { hashToken } from '../private-token.ts'
import { requestHeader } from '../subscribe/request-header.ts'
import { checkedPage, checkedToken, headerToken } from '../subscribe/subscribe-request.ts'
import type { Endpoint } from './guarded.ts'
import { readFields } from './request-body.ts'
import type { TokenCookie } from './token-cookie.ts'

/**
 * `POST …/goodbye` with the form fields `privateToken`, unless the cookie has it, and `page`, so that a beacon can say it: this page leaves.
 * Its client is removed within seconds, unless another page has it by then. 204, also for a client unknown by now.
 */
export class GoodbyeEndpoint implements Endpoint {
  readonly methods = ['POST']
  readonly #node: ChannelNode
  readonly #cookie: TokenCookie

  constructor(node: ChannelNode, cookie: TokenCookie) {
    this.#node = node
    this.#cookie = cookie
  }

  async handle(ctx: Context): Promise<void> {
    const { privateToken, page = requestHeader(ctx, 'comet-page') } = await readFields(ctx)
    const token = checkedToken(privateToken ?? headerToken(ctx) ?? this.#cookie.read(ctx))
    const pageId = page === '' ? '' : checkedPage(page).id
    await this.#node.open()
    await this.#leave(token, pageId)
    ctx.set(COMMON_HEADERS)
    ctx.status = 204
  }

  async #leave(privateToken: string, pageId: string): Promise<void> {
    try {
      const lease = await this.#node.leases.find(hashToken(privateToken))
      // What is still held for the leaving page would renew the lease that it gives up.
      if (lease.holder === pageId) lease.held?.replace(true)
      await this.#node.leases.goodbye(lease, pageId)
    } catch (error) {
      const isGone = error instanceof CometException && error.status !== 503
      if (!isGone) throw error
    }
  }
}
