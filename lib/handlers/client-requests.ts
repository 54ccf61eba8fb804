import type { Context } from 'koa'
import { type Answer, JSON_HEADERS } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CometAction } from '../comet-action.ts'
import type { CompleteOptions } from '../options.ts'
import { hashToken } from '../private-token.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { checkedToken, headerToken } from '../subscribe/subscribe-request.ts'
import { authorize } from './authorization.ts'
import { checkIdentity } from './identity.ts'
import { RequestRates } from './request-rates.ts'
import type { TokenCookie } from './token-cookie.ts'

/** What all requests of clients beside the subscription have in common: whose they are, and whether they may. */
export class ClientRequests {
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #cookie: TokenCookie
  readonly #rates: RequestRates

  constructor(node: ChannelNode, options: CompleteOptions, cookie: TokenCookie) {
    this.#node = node
    this.#options = options
    this.#cookie = cookie
    this.#rates = new RequestRates(options.maxRequestsPerSecond)
  }

  /** The client that a request is of: by its headers, or that of a native EventSource's cookie. */
  async clientOf(ctx: Context): Promise<ClientLease> {
    // Of a POST the browser says whose page it is of, so that a cookie is as good.
    const token = checkedToken(
      headerToken(ctx) ?? (ctx.method === 'POST' ? this.#cookie.read(ctx) : undefined),
    )
    await this.#node.ready()
    const lease = await this.#node.leases.find(hashToken(token))
    this.#rates.count(lease)
    await checkIdentity(ctx, lease.client, this.#options.identify)
    if (lease.ending) throw lease.ending
    this.#node.leases.touch(lease)
    return lease
  }

  authorize(ctx: Context, action: CometAction): Promise<void> {
    return authorize(ctx, this.#options.authorize, action)
  }
}

export function answerJson(ctx: Context, body: unknown, headers: Answer['headers'] = {}): void {
  answerNow(ctx, { status: 200, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) })
}
