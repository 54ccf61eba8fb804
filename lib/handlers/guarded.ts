import type { Context } from 'koa'
import { COMMON_HEADERS, errorAnswer, type ToldError } from '../answer.ts'
import type { ChannelEmitter } from '../channel-events.ts'
import { CometException } from '../comet-exception.ts'
import { debugSubscribe } from '../debug.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { requestHeader } from '../subscribe/request-header.ts'
import { CometRefusal } from '../upstream/comet-refusal.ts'
import { type Origins, refusedOrigin } from './origins.ts'
import { setHeaders } from './set-headers.ts'

/** One address of the channel. */
export interface Endpoint<C extends SubscribeContext = Context> {
  readonly methods: readonly string[]
  /** Whether pages of any origin may use it. */
  readonly isPublic?: boolean
  /** Without a promise it is done at once. */
  handle(ctx: C): Promise<void> | undefined
  /** Answers an error of this endpoint in a way of its own; returns whether it did. */
  answerError?(ctx: C, error: ToldError): boolean
}

/** Answers a request, whatever happens. Without a promise it is done at once. */
export type Guarded<C extends SubscribeContext> = (ctx: C) => Promise<void> | undefined

/**
 * Makes an endpoint a middleware that answers whatever happens. Koa's own error path would strip Cache-Control and
 * CORS headers, so that nothing is thrown past here.
 */
export function guarded<C extends SubscribeContext>(
  endpoint: Endpoint<C>,
  origins: Origins,
  events: ChannelEmitter,
): Guarded<C> {
  const methods = [...endpoint.methods, 'OPTIONS']
  const allow = methods.join(', ')
  const refuse = (ctx: C, cause: unknown): void => {
    const error = toldErrorOf(cause, events)
    debugSubscribe('%s %s refused: %s %s', ctx.method, ctx.path, error.code, error.message)
    if (!endpoint.answerError?.(ctx, error)) answerNow(ctx, errorAnswer(error))
  }
  // Not async: the promise of the endpoint is enough, and most polls have none.
  return (ctx) => {
    try {
      const isAllowed = origins.admit(ctx)
      if (!methods.includes(ctx.method)) {
        setHeaders(ctx.res, { Allow: allow })
        throw new CometException(
          'COMET_METHOD_IS_NOT_ALLOWED',
          `This address has ${allow}, not ${ctx.method}.`,
        )
      }
      if (ctx.method === 'OPTIONS') {
        answerPreflight(ctx, allow, isAllowed)
        return undefined
      }
      if (!isAllowed && !endpoint.isPublic) throw refusedOrigin()
      return endpoint.handle(ctx)?.catch((cause) => refuse(ctx, cause))
    } catch (cause) {
      refuse(ctx, cause)
      return undefined
    }
  }
}

function answerPreflight(ctx: SubscribeContext, allow: string, isAllowed: boolean): void {
  if (!isAllowed)
    debugSubscribe('preflight of %s refused: not in the option origins', requestHeader(ctx, 'origin'))
  answerNow(ctx, { status: 204, headers: { ...COMMON_HEADERS, Allow: allow }, body: '' })
}

function toldErrorOf(cause: unknown, events: ChannelEmitter): CometException | CometRefusal {
  if (cause instanceof CometException || cause instanceof CometRefusal) return cause
  events.emit('error', cause)
  return new CometException('COMET_INTERNAL_ERROR', 'The server failed. Try again later.', { cause })
}
