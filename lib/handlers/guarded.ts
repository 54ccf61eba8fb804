import type { Context, Middleware } from 'koa'
import { COMMON_HEADERS, errorAnswer, type ToldError } from '../answer.ts'
import type { ChannelEmitter } from '../channel-events.ts'
import { CometException } from '../comet-exception.ts'
import { debugSubscribe } from '../debug.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { requestHeader } from '../subscribe/request-header.ts'
import { CometRefusal } from '../upstream/comet-refusal.ts'
import { type Origins, refusedOrigin } from './origins.ts'

/** One address of the channel. */
export interface Endpoint {
  readonly methods: readonly string[]
  /** Whether pages of any origin may use it. */
  readonly isPublic?: boolean
  /** Without a promise it is done at once. */
  handle(ctx: Context): Promise<void> | undefined
  /** Answers an error of this endpoint in a way of its own; returns whether it did. */
  answerError?(ctx: Context, error: ToldError): boolean
}

/**
 * Makes an endpoint a middleware that answers whatever happens. Koa's own error path would strip Cache-Control and
 * CORS headers, so that nothing is thrown past here.
 */
export function guarded(endpoint: Endpoint, origins: Origins, events: ChannelEmitter): Middleware {
  const methods = [...endpoint.methods, 'OPTIONS']
  const allow = methods.join(', ')
  const refuse = (ctx: Context, cause: unknown): void => {
    const error = toldErrorOf(cause, events)
    debugSubscribe('%s %s refused: %s %s', ctx.method, ctx.path, error.code, error.message)
    if (!endpoint.answerError?.(ctx, error)) answerNow(ctx, errorAnswer(error))
  }
  // Not async: the promise of the endpoint is enough, and most polls have none.
  return function cometEndpoint(ctx) {
    try {
      const isAllowed = origins.admit(ctx)
      if (!methods.includes(ctx.method)) {
        ctx.set('Allow', allow)
        throw new CometException(
          'COMET_METHOD_IS_NOT_ALLOWED',
          `This address has ${allow}, not ${ctx.method}.`,
        )
      }
      if (ctx.method === 'OPTIONS') return answerPreflight(ctx, allow, isAllowed)
      if (!isAllowed && !endpoint.isPublic) throw refusedOrigin()
      return endpoint.handle(ctx)?.catch((cause) => refuse(ctx, cause))
    } catch (cause) {
      return refuse(ctx, cause)
    }
  }
}

function answerPreflight(ctx: Context, allow: string, isAllowed: boolean): void {
  if (!isAllowed)
    debugSubscribe('preflight of %s refused: not in the option origins', requestHeader(ctx, 'origin'))
  ctx.set(COMMON_HEADERS)
  ctx.set('Allow', allow)
  ctx.status = 204
}

function toldErrorOf(cause: unknown, events: ChannelEmitter): CometException | CometRefusal {
  if (cause instanceof CometException || cause instanceof CometRefusal) return cause
  events.emit('error', cause)
  return new CometException('COMET_INTERNAL_ERROR', 'The server failed. Try again later.', { cause })
}
