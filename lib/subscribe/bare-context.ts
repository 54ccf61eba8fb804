import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from 'koa'

/** The context of a subscribe request: Koa's, or one of a request that Koa never sees. */
export type SubscribeContext = Context | BareContext

/** What leaves when all else of its request is done. */
export interface Releasable {
  release(): void
}

/** Stands for Koa's context where there is no Koa: what a subscription needs of it, under the same names. */
export class BareContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  #answer: Releasable | undefined

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.req = req
    this.res = res
  }

  get method(): string {
    return this.req.method!
  }

  get path(): string {
    return pathOf(this.req)
  }

  vary(field: string): void {
    this.res.appendHeader('Vary', field)
  }

  /** Its answer, which waits for `release`. The last one counts. */
  hold(answer: Releasable): void {
    this.#answer = answer
  }

  /** Nothing else is to be done for the request: the counterpart of Koa's last step. */
  release(): void {
    this.#answer?.release()
  }
}

/** The path of a request's URL, without its query. */
export function pathOf({ url }: IncomingMessage): string {
  const query = url!.indexOf('?')
  return query === -1 ? url! : url!.slice(0, query)
}
