import { randomInt } from 'node:crypto'
import accepts from 'accepts'
import type { Context } from 'koa'
import { type ChannelNode, closedException } from '../channel-node.ts'
import { CometException } from '../comet-exception.ts'
import { type Cursor, FOREIGN_CURSOR } from '../cursor.ts'
import { debugSubscribe } from '../debug.ts'
import type { CompleteOptions } from '../options.ts'
import { hashToken } from '../private-token.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'
import { answerNow, isGone } from '../subscribe/held-response.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import { headerToken, readBody, readHeaders, type SubscribeRequest } from '../subscribe/subscribe-request.ts'
import type { Transport } from '../subscribe/wait-request.ts'
import { AspNetComet } from '../transports/aspnet-comet.ts'
import { LongPolling } from '../transports/long-polling.ts'
import type { Endpoint } from './guarded.ts'
import { checkIdentity } from './identity.ts'
import { hasBody, isForm, readFields } from './request-body.ts'

/** A client unseen for longer than this has resumed when it subscribes. */
const UNSEEN_MS = 5000

/** How often a client may be found to have changed on the way to its request. */
const MAX_TRIES = 5

/**
 * Holds are cut by up to a tenth at random, so that thousands begun together do not end together: in a few steps,
 * since Node keeps a list of timers for each duration.
 */
const HOLD_JITTER = 0.1
const HOLD_JITTER_STEPS = 20

/** The subscribe address: answers with what there is for the client, or holds the request until there is. */
export class SubscribeEndpoint implements Endpoint {
  readonly methods = ['GET', 'POST']
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #longPolling = new LongPolling()
  readonly #aspNetComet = new AspNetComet(this.#longPolling)

  constructor(node: ChannelNode, options: CompleteOptions) {
    this.#node = node
    this.#options = options
  }

  async handle(ctx: Context): Promise<void> {
    const { request, transport } = await this.#read(ctx)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { leases } = this.#node
      const lease = await leases.find(hashToken(request.privateToken))
      const ticket = lease.takeTicket()
      const wasUnseen = isUnseen(lease)
      await checkIdentity(ctx, lease.client, this.#options.identify)
      // Who is gone may have said goodbye meanwhile: nothing is renewed for it.
      if (isGone(ctx.res)) return
      if (!lease.isOvertaken(ticket, request.page)) await leases.confirm(lease, request.page)
      const cursor = request.cursor ?? lease.position
      await this.#reach(cursor)
      // From here on nothing is awaited: what is read now is what is answered, or waited from.
      if (isGone(ctx.res)) return
      if (this.#node.isClosing) throw closedException()
      // Forgotten, or ended: who bears the token by now, the store tells.
      if (lease.isStale) continue
      if (this.#node.trouble) throw this.#node.trouble
      if (!lease.serve(ticket, request.page))
        return this.#answer(ctx, { kind: 'replaced', cursor }, transport)
      this.#tell(lease, wasUnseen)
      return this.#serve(ctx, lease, { ...request, cursor }, transport)
    }
    const text = 'This client changes faster than it can be served. Try again later.'
    throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
  }

  answerError(ctx: Context, exception: CometException): boolean {
    if (!speaksAspNetComet(ctx)) return false
    const answer = this.#aspNetComet.renderError(exception)
    if (exception.status === 503) this.#node.lateAnswers.add(ctx, answer, this.#aspNetComet.replaceAfterMs)
    else answerNow(ctx, answer)
    return true
  }

  async #read(ctx: Context): Promise<{ request: SubscribeRequest; transport: Transport }> {
    checkAccept(ctx)
    if (ctx.method === 'GET') {
      // Node cuts a held request whose body was never read.
      if (hasBody(ctx))
        throw new CometException('COMET_PARAMETERS_ARE_INVALID', 'A GET request has no body here.')
      await this.#node.ready()
      return { request: readHeaders(ctx), transport: this.#longPolling }
    }
    const fields = await readFields(ctx)
    await this.#node.ready()
    const transport = speaksAspNetComet(ctx) ? this.#aspNetComet : this.#longPolling
    return { request: readBody(ctx, fields, this.#node.log.epoch), transport }
  }

  /** A cursor that this node does not know yet may be known to the store. */
  async #reach(cursor: Cursor): Promise<void> {
    const { log } = this.#node
    const isKnown = cursor.epoch === log.epoch && cursor.messageId <= log.head
    if (!isKnown && cursor !== FOREIGN_CURSOR) await this.#node.catchUp()
  }

  #serve(
    ctx: Context,
    lease: ClientLease,
    { cursor, waitSeconds }: SubscribeRequest & { readonly cursor: Cursor },
    transport: Transport,
  ): void {
    const { log, waitList } = this.#node
    lease.held?.replace()
    if (cursor.epoch === log.epoch && cursor.messageId <= log.head) lease.acknowledge(cursor)
    const from = lease.beyond(cursor, log.epoch)
    const { outcome, through } = waitList.outcomeFor(lease, from)
    const seen = { epoch: log.epoch, messageId: through }
    if (outcome) return this.#answer(ctx, outcome, transport)
    lease.noteQuiet(from.messageId, through)
    if (waitSeconds === 0) return this.#answer(ctx, { kind: 'timeout', cursor: seen }, transport)
    if (waitList.size >= this.#options.maxHeldRequests) throw tooManyHeld(this.#options.maxHeldRequests)
    waitList.hold(ctx, { lease, transport, cursor: seen, holdMs: holdMs(lease, waitSeconds) })
  }

  #answer(ctx: Context, outcome: SubscribeOutcome, transport: Transport): void {
    const answer = transport.render(outcome)
    if (outcome.kind === 'replaced' && transport.replaceAfterMs > 0)
      this.#node.lateAnswers.add(ctx, answer, transport.replaceAfterMs)
    else answerNow(ctx, answer)
  }

  #tell({ client }: ClientLease, wasUnseen: boolean): void {
    debugSubscribe('%s subscribes', client.publicToken)
    this.#node.events.emit('clientSubscribed', client)
    if (wasUnseen) this.#node.events.emit('clientResumed', client)
  }
}

/** The form of 2008: its token is in the body, and it knows of no epoch. */
function speaksAspNetComet(ctx: Context): boolean {
  if (ctx.method !== 'POST' || !isForm(ctx) || headerToken(ctx) !== undefined) return false
  const body = ctx.request.body as Record<string, unknown> | undefined
  return body?.epoch === undefined
}

function checkAccept(ctx: Context): void {
  // Not ctx.accepts: Koa would keep what it parsed for as long as the request is held.
  if (accepts(ctx.req).type('application/json')) return
  throw new CometException('COMET_NOT_ACCEPTABLE', 'This channel answers with application/json.')
}

/** Whether the client is one that had been here, and was away. A client's first request is none. */
function isUnseen({ seenAt, holder }: ClientLease): boolean {
  return holder !== undefined && performance.now() - seenAt > UNSEEN_MS
}

function holdMs({ client }: ClientLease, waitSeconds: number | undefined): number {
  const seconds = Math.min(client.connectionTimeoutSeconds, waitSeconds ?? client.connectionTimeoutSeconds)
  return Math.ceil(seconds * 1000 * (1 - (HOLD_JITTER * randomInt(HOLD_JITTER_STEPS)) / HOLD_JITTER_STEPS))
}

function tooManyHeld(max: number): CometException {
  const text = `This node holds ${max} requests already. Try again later, or raise maxHeldRequests.`
  return new CometException('COMET_TOO_MANY_REQUESTS_ARE_HELD', text)
}
