import { randomInt } from 'node:crypto'
import type { Context } from 'koa'
import type { ToldError } from '../answer.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import { type Cursor, FOREIGN_CURSOR } from '../cursor.ts'
import { debugSubscribe } from '../debug.ts'
import type { CompleteOptions } from '../options.ts'
import { hashToken } from '../private-token.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { isGone } from '../subscribe/is-gone.ts'
import type { ProbeParameters } from '../subscribe/probes.ts'
import { requestHeader } from '../subscribe/request-header.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import { headerToken, readBody, readHeaders, type SubscribeRequest } from '../subscribe/subscribe-request.ts'
import type { AnsweringTransport } from '../subscribe/wait-request.ts'
import { EventStream } from '../transports/event-stream.ts'
import { authorize } from './authorization.ts'
import type { Endpoint } from './guarded.ts'
import { checkIdentity } from './identity.ts'
import type { Origins } from './origins.ts'
import { hasBody, readFields } from './request-body.ts'
import { SubscribeTransports } from './subscribe-transports.ts'
import type { TokenCookie } from './token-cookie.ts'

/** A client unseen for longer than this has resumed when it subscribes. */
const UNSEEN_MS = 5000

/** How often a client may be found to have changed on the way to its request. */
const MAX_TRIES = 5

/** A stream ends after this time, so that its page comes again and it is asked anew who that is. */
const ROTATION_SECONDS = 600

/**
 * Times are cut by up to a tenth at random, so that thousands begun together do not end together: in a few steps,
 * since Node keeps a list of timers for each duration.
 */
const JITTER = 0.1
const JITTER_STEPS = 20

/** A request whose page is the client's, with what it has seen. */
interface Admitted {
  readonly ctx: Context
  readonly lease: ClientLease
  readonly cursor: Cursor
  readonly waitSeconds: number | undefined
}

/** The subscribe address: answers with what there is for the client, or holds the request until there is. */
export class SubscribeEndpoint implements Endpoint {
  readonly methods = ['GET', 'POST']
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #cookie: TokenCookie
  readonly #origins: Origins
  readonly #transports: SubscribeTransports
  readonly #isAppAsked: boolean

  constructor(node: ChannelNode, options: CompleteOptions, cookie: TokenCookie, origins: Origins) {
    this.#node = node
    this.#options = options
    this.#cookie = cookie
    this.#origins = origins
    this.#transports = new SubscribeTransports(options)
    this.#isAppAsked = options.identify !== null || options.authorize !== null
  }

  /** Nothing is awaited without need: most polls are held in the turn that they came in. */
  async handle(ctx: Context): Promise<void> {
    this.#transports.check(ctx)
    const isGet = ctx.method === 'GET'
    // Node cuts a held request whose body was never read.
    if (isGet && hasBody(ctx))
      throw new CometException('COMET_PARAMETERS_ARE_INVALID', 'A GET request has no body here.')
    const fields = isGet ? undefined : await readFields(ctx)
    if (!this.#node.isReady) await this.#node.ready()
    const request = fields ? readBody(ctx, fields, this.#node.log.epoch) : this.#readHeaders(ctx)
    const transport = this.#transports.of(ctx)
    const privateTokenHash = hashToken(request.privateToken)
    const { leases } = this.#node
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const lease = leases.known(privateTokenHash) ?? (await leases.find(privateTokenHash))
      const ticket = lease.takeTicket()
      const wasUnseen = isUnseen(lease)
      if (this.#isAppAsked) await this.#askApp(ctx, lease.client)
      // Who is gone may have said goodbye meanwhile: nothing is renewed for it.
      if (isGone(ctx.res)) return
      if (isProbe(ctx, transport))
        return this.#probe(ctx, lease, { cursor: request.cursor ?? lease.position, transport })
      if (!lease.isOvertaken(ticket, request.page)) {
        const confirmed = leases.confirm(lease, request.page)
        if (confirmed) await confirmed
      }
      const cursor = request.cursor ?? lease.position
      if (!this.#isKnown(cursor)) await this.#node.catchUp()
      // Answers of one connection leave in order: until the one before has, this one would only lie in memory.
      while (lease.answer?.isAheadOf(ctx.res)) await lease.answer.turnOf(ctx.res)
      // From here on nothing is awaited: what is read now is what is answered, or waited from.
      if (isGone(ctx.res)) return
      if (this.#node.isClosing) throw this.#node.closed
      // Forgotten, or ended: who bears the token by now, the store tells.
      if (lease.isStale) continue
      if (this.#node.trouble) throw this.#node.trouble
      const isByOwnPage = lease.wasServing(request.page)
      if (!lease.serve(ticket, request.page)) {
        return this.#answer(ctx, { kind: 'replaced', cursor, isByOwnPage }, transport)
      }
      lease.held?.replace(isByOwnPage)
      this.#tell(lease, wasUnseen)
      return this.#serve({ ctx, lease, cursor, waitSeconds: request.waitSeconds }, transport)
    }
    const text = 'This client changes faster than it can be served. Try again later.'
    throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
  }

  answerError(ctx: Context, error: ToldError): boolean {
    const { aspNetComet, eventStream } = this.#transports
    if (this.#transports.speaksAspNetComet(ctx)) {
      const answer = aspNetComet.renderError(error)
      if (error.status === 503) this.#node.lateAnswers.add(ctx, answer, aspNetComet.replaceAfterMs)
      else answerNow(ctx, answer)
      return true
    }
    if (error.status !== 503 || !this.#transports.isNativeEventSource(ctx)) return false
    answerNow(ctx, eventStream.renderTrouble(error))
    return true
  }

  #readHeaders(ctx: Context): SubscribeRequest {
    // Only for who cannot send headers: elsewhere a cookie would come along unasked.
    const token = this.#transports.isNativeEventSource(ctx) ? this.#cookieToken(ctx) : headerToken(ctx)
    return readHeaders(ctx, token)
  }

  #cookieToken(ctx: Context): string | undefined {
    const token = this.#cookie.read(ctx)
    if (token !== undefined) this.#origins.checkCookie(ctx)
    return token
  }

  async #askApp(ctx: Context, client: CometClient): Promise<void> {
    await checkIdentity(ctx, client, this.#options.identify)
    await authorize(ctx, this.#options.authorize, { kind: 'subscribe', client })
  }

  /** A cursor that this node does not know yet may be known to the store. */
  #isKnown(cursor: Cursor): boolean {
    const { log } = this.#node
    return (cursor.epoch === log.epoch && cursor.messageId <= log.head) || cursor === FOREIGN_CURSOR
  }

  #probe(ctx: Context, { privateTokenHash }: ClientLease, told: ProbeParameters): void {
    const { probes } = this.#node
    if (this.#node.isClosing) throw this.#node.closed
    // One for each client, lest one client take the room of all.
    probes.end(privateTokenHash)
    this.#checkRoom()
    probes.add(ctx, privateTokenHash, told)
  }

  #serve(admitted: Admitted, transport: AnsweringTransport): void {
    const { lease, cursor } = admitted
    const { log } = this.#node
    // With the log's own text: the page's would keep the header that it came in.
    if (cursor.epoch === log.epoch && cursor.messageId <= log.head)
      lease.acknowledge({ epoch: log.epoch, messageId: cursor.messageId })
    const from = lease.beyond(cursor, log.epoch)
    if (transport instanceof EventStream) this.#stream(admitted, from, transport)
    else this.#poll(admitted, from, transport)
  }

  #poll({ ctx, lease, waitSeconds }: Admitted, cursor: Cursor, transport: AnsweringTransport): void {
    const { log, waitList } = this.#node
    const { outcome, through } = waitList.outcomeFor(lease, cursor, transport)
    const seen = { epoch: log.epoch, messageId: through }
    if (outcome) return lease.noteAnswer(answerNow(ctx, transport.render(outcome)))
    lease.noteQuiet(cursor.messageId, through)
    if (waitSeconds === 0)
      return lease.noteAnswer(answerNow(ctx, transport.render({ kind: 'timeout', cursor: seen })))
    this.#checkRoom()
    const holdSeconds = Math.min(
      lease.client.connectionTimeoutSeconds,
      waitSeconds ?? Number.POSITIVE_INFINITY,
    )
    waitList.hold(ctx, { lease, transport, cursor: seen, holdMs: jitteredMs(holdSeconds) })
  }

  /** A stream begins to read when Koa has unwound, and its head goes out with what there is. */
  #stream({ ctx, lease, waitSeconds }: Admitted, cursor: Cursor, transport: EventStream): void {
    this.#checkRoom()
    const { log, waitList } = this.#node
    // Who does not wait is told all that there is by now, however long it takes to read that.
    const goal = waitSeconds === 0 ? log.head : undefined
    const holdSeconds = goal === undefined ? (waitSeconds ?? ROTATION_SECONDS) : ROTATION_SECONDS
    const holdMs = jitteredMs(Math.min(ROTATION_SECONDS, holdSeconds))
    const keepAliveMs = jitteredMs(this.#options.keepAliveSeconds)
    waitList.hold(ctx, { lease, transport, cursor, holdMs, keepAliveMs, goal }).wake(cursor.messageId)
  }

  #checkRoom(): void {
    const { waitList, probes } = this.#node
    const { maxHeldRequests } = this.#options
    if (waitList.size + probes.size < maxHeldRequests) return
    const text = `This node holds ${maxHeldRequests} requests already. Try again later, or raise maxHeldRequests.`
    throw new CometException('COMET_TOO_MANY_REQUESTS_ARE_HELD', text)
  }

  #answer(ctx: Context, outcome: SubscribeOutcome, transport: AnsweringTransport): void {
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

function isProbe(ctx: Context, transport: AnsweringTransport): boolean {
  return transport instanceof EventStream && requestHeader(ctx, 'comet-probe') === '1'
}

/** Whether the client is one that had been here, and was away. A client's first request is none. */
function isUnseen({ seenAt, holder }: ClientLease): boolean {
  return holder !== undefined && performance.now() - seenAt > UNSEEN_MS
}

function jitteredMs(seconds: number): number {
  return Math.ceil(seconds * 1000 * (1 - (JITTER * randomInt(JITTER_STEPS)) / JITTER_STEPS))
}
