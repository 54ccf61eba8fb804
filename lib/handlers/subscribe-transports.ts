import accepts from 'accepts'
import type { Context } from 'koa'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions, TransportName } from '../options.ts'
import { type HasRequest, requestHeader } from '../subscribe/request-header.ts'
import { headerToken } from '../subscribe/subscribe-request.ts'
import type { AnsweringTransport } from '../subscribe/wait-request.ts'
import { AspNetComet } from '../transports/aspnet-comet.ts'
import { EventStream } from '../transports/event-stream.ts'
import { LongPolling } from '../transports/long-polling.ts'
import { isForm } from './request-body.ts'

const MEDIA_TYPES: Readonly<Record<TransportName, string>> = {
  'long-polling': 'application/json',
  streaming: 'text/event-stream',
}

/** The transports of one channel. Which one a request is served by, its `Accept` says. */
export class SubscribeTransports {
  readonly longPolling: AnsweringTransport
  readonly aspNetComet: AspNetComet
  readonly eventStream: EventStream
  readonly #mediaTypes: readonly string[]

  constructor({ transports, keepAliveSeconds, maxAnswerBytes }: CompleteOptions) {
    this.longPolling = new LongPolling(maxAnswerBytes)
    this.aspNetComet = new AspNetComet(this.longPolling)
    this.eventStream = new EventStream(keepAliveSeconds, maxAnswerBytes)
    // Who takes anything is given an answer that ends.
    const names: readonly TransportName[] = ['long-polling', 'streaming']
    this.#mediaTypes = names.filter((name) => transports.includes(name)).map((name) => MEDIA_TYPES[name])
  }

  /** Asked before a body is read. Throws as those below. */
  check(ctx: HasRequest): void {
    this.#accepted(ctx)
  }

  /** @throws COMET_NOT_ACCEPTABLE */
  byHeaders(ctx: HasRequest): AnsweringTransport {
    return this.#accepted(ctx) === MEDIA_TYPES.streaming ? this.eventStream : this.longPolling
  }

  /** Asked when the body has been read. Throws COMET_NOT_ACCEPTABLE. */
  byBody(ctx: Context): AnsweringTransport {
    if (!this.speaksAspNetComet(ctx)) return this.byHeaders(ctx)
    if (!this.#mediaTypes.includes(MEDIA_TYPES['long-polling'])) throw this.#notAcceptable()
    return this.aspNetComet
  }

  /** The form of 2008: its token is in the body, and it knows of no epoch. */
  speaksAspNetComet(ctx: Context): boolean {
    if (ctx.method !== 'POST' || !isForm(ctx) || headerToken(ctx) !== undefined) return false
    const body = ctx.request.body as Record<string, unknown> | undefined
    return body?.epoch === undefined
  }

  /** Whether it asks for a stream and can send no header of its own. An error status would end it for good. */
  isNativeEventSource(ctx: HasRequest): boolean {
    const asksForStream = ctx.req.method === 'GET' && requestHeader(ctx, 'accept') === MEDIA_TYPES.streaming
    return asksForStream && headerToken(ctx) === undefined
  }

  #accepted(ctx: HasRequest): string {
    const named = requestHeader(ctx, 'accept')
    // As our own pages name it: to parse that for each poll would be waste.
    if (this.#mediaTypes.includes(named)) return named
    // Not ctx.accepts: Koa would keep what it parsed for as long as the request is held.
    const accepted = accepts(ctx.req).type([...this.#mediaTypes])
    if (typeof accepted === 'string') return accepted
    throw this.#notAcceptable()
  }

  #notAcceptable(): CometException {
    const text = `This channel answers with ${this.#mediaTypes.join(' or ')}.`
    return new CometException('COMET_NOT_ACCEPTABLE', text)
  }
}
