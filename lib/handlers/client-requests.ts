import type { Context } from 'koa'
import { type Answer, JSON_HEADERS } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CometAction } from '../comet-action.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'
import { hashToken } from '../private-token.ts'
import { type ClientLease, unknownToken } from '../subscribe/client-lease.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { checkedToken, headerToken } from '../subscribe/subscribe-request.ts'
import { CometRefusal } from '../upstream/comet-refusal.ts'
import { authorize } from './authorization.ts'
import { checkIdentity } from './identity.ts'
import type { TokenCookie } from './token-cookie.ts'

/** What all requests of clients beside the subscription have in common: whose they are, and whether they may. */
export class ClientRequests {
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #cookie: TokenCookie

  constructor(node: ChannelNode, options: CompleteOptions, cookie: TokenCookie) {
    this.#node = node
    this.#options = options
    this.#cookie = cookie
  }

  /**
   * The client that a request is of: by its headers, or that of a native EventSource's cookie.
   * @param size how many requests this one is as much as
   */
  async clientOf(ctx: Context, size = 1): Promise<ClientLease> {
    // Of a POST the browser says whose page it is of, so that a cookie is as good.
    const token = checkedToken(
      headerToken(ctx) ?? (ctx.method === 'POST' ? this.#cookie.read(ctx) : undefined),
    )
    await this.#node.ready()
    const { leases, rates } = this.#node
    const hash = hashToken(token)
    const found = await leases.find(hash)
    rates.count(found, size)
    await checkIdentity(ctx, found.client, this.#options.identify)
    await this.#node.ready()
    // Meanwhile it may have been forgotten here: another may bear its tokens by now.
    const lease = found.isStale ? await leases.find(hash) : found
    if (lease.client.generation !== found.client.generation) throw unknownToken()
    leases.touch(lease)
    return lease
  }

  authorize(ctx: Context, action: CometAction): Promise<void> {
    return this.ask(() => authorize(ctx, this.#options.authorize, action))
  }

  /** Asks the app something about one request. Where it fails, that request has failed: to repeat it would not help. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      if (error instanceof CometException || error instanceof CometRefusal) throw error
      this.#node.events.emit('error', error)
      throw new CometException('COMET_SEND_HAS_FAILED', 'A function of the app failed.', { cause: error })
    }
  }
}

export function answerJson(ctx: Context, body: unknown, headers: Answer['headers'] = {}): void {
  answerNow(ctx, { status: 200, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) })
}
