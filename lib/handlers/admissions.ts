import { randomInt } from 'node:crypto'
import type { ChannelNode } from '../channel-node.ts'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import { type Cursor, FOREIGN_CURSOR } from '../cursor.ts'
import { debugSubscribe } from '../debug.ts'
import type { CompleteOptions } from '../options.ts'
import { hashToken } from '../private-token.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { isGone } from '../subscribe/is-gone.ts'
import { requestHeader } from '../subscribe/request-header.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import type { SubscribeRequest } from '../subscribe/subscribe-request.ts'
import type { AnsweringTransport } from '../subscribe/wait-request.ts'
import { EventStream } from '../transports/event-stream.ts'

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

/** Rejects if the app does not let the client subscribe. */
export type AskApp = (client: CometClient) => Promise<void>

/** A request that has been read. */
export interface Asked {
  readonly ctx: SubscribeContext
  readonly request: SubscribeRequest
  readonly transport: AnsweringTransport
  /** Absent if nobody is to be asked. */
  readonly askApp: AskApp | undefined
}

/** The client of a request, as it was when the request came to it. */
interface Candidate {
  readonly lease: ClientLease
  readonly ticket: number
  readonly wasUnseen: boolean
}

/** Lets subscribe requests in, in the order in which they came, and answers or holds them. */
export class Admissions {
  readonly #node: ChannelNode
  readonly #options: CompleteOptions

  constructor(node: ChannelNode, options: CompleteOptions) {
    this.#node = node
    this.#options = options
  }

  /** Nothing is awaited without need: most polls are held in the turn that they came in, and there is no promise then. */
  admit(asked: Asked): Promise<void> | undefined {
    const privateTokenHash = hashToken(asked.request.privateToken)
    const lease = this.#node.leases.known(privateTokenHash)
    if (lease === undefined || asked.askApp || isProbe(asked)) return this.#admit(asked, privateTokenHash)
    if (isGone(asked.ctx.res)) return undefined
    const served = this.#serveInTurn(asked, candidateOf(lease))
    return served === true ? undefined : this.#tryAgainUnless(served, asked, privateTokenHash)
  }

  async #admit(asked: Asked, privateTokenHash: string): Promise<void> {
    const { leases } = this.#node
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const candidate = candidateOf(leases.known(privateTokenHash) ?? (await leases.find(privateTokenHash)))
      await asked.askApp?.(candidate.lease.client)
      // Who is gone may have said goodbye meanwhile: nothing is renewed for it.
      if (isGone(asked.ctx.res)) return
      if (isProbe(asked)) return this.#probe(asked, candidate.lease)
      if (await this.#serveInTurn(asked, candidate)) return
    }
    const text = 'This client changes faster than it can be served. Try again later.'
    throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
  }

  async #tryAgainUnless(
    served: Promise<boolean> | boolean,
    asked: Asked,
    privateTokenHash: string,
  ): Promise<void> {
    if (!(await served)) await this.#admit(asked, privateTokenHash)
  }

  /** Serves when the lease is the page's and its cursor is known here, as far as that can be had by waiting. */
  #serveInTurn(asked: Asked, candidate: Candidate): Promise<boolean> | boolean {
    const { lease, ticket } = candidate
    const { page } = asked.request
    const confirmed = lease.isOvertaken(ticket, page) ? undefined : this.#node.leases.confirm(lease, page)
    const isReady =
      !confirmed && this.#isKnown(cursorOf(asked, lease)) && !lease.answer?.isAheadOf(asked.ctx.res)
    return isReady ? this.#serve(asked, candidate) : this.#serveLater(asked, candidate, confirmed)
  }

  async #serveLater(
    asked: Asked,
    candidate: Candidate,
    confirmed: Promise<void> | undefined,
  ): Promise<boolean> {
    const { lease } = candidate
    await confirmed
    if (!this.#isKnown(cursorOf(asked, lease))) await this.#node.catchUp()
    // Answers of one connection leave in order: until the one before has, this one would only lie in memory.
    const { res } = asked.ctx
    while (lease.answer?.isAheadOf(res)) await lease.answer.turnOf(res)
    return this.#serve(asked, candidate)
  }

  /** A cursor that this node does not know yet may be known to the store. */
  #isKnown(cursor: Cursor): boolean {
    const { log } = this.#node
    return (cursor.epoch === log.epoch && cursor.messageId <= log.head) || cursor === FOREIGN_CURSOR
  }

  /**
   * Answers or holds the request. Nothing is awaited here: what is read is what is answered, or waited from.
   * @returns false if the client was forgotten, or ended: who bears the token by now, the store tells
   */
  #serve(asked: Asked, { lease, ticket, wasUnseen }: Candidate): boolean {
    const { page } = asked.request
    if (isGone(asked.ctx.res)) return true
    if (this.#node.isClosing) throw this.#node.closed
    if (lease.isStale) return false
    if (this.#node.trouble) throw this.#node.trouble
    const cursor = cursorOf(asked, lease)
    const isByOwnPage = lease.wasServing(page)
    if (lease.serve(ticket, page)) {
      lease.held?.replace(isByOwnPage)
      this.#tell(lease, wasUnseen)
      this.#read(asked, lease, cursor)
    } else {
      this.#answerReplaced(asked, { kind: 'replaced', cursor, isByOwnPage })
    }
    return true
  }

  #read(asked: Asked, lease: ClientLease, cursor: Cursor): void {
    const { log } = this.#node
    // With the log's own text: the page's would keep the header that it came in.
    if (cursor.epoch === log.epoch && cursor.messageId <= log.head)
      lease.acknowledge({ epoch: log.epoch, messageId: cursor.messageId })
    const from = lease.beyond(cursor, log.epoch)
    if (asked.transport instanceof EventStream) this.#stream(asked, asked.transport, lease, from)
    else this.#poll(asked, lease, from)
  }

  #poll({ ctx, request, transport }: Asked, lease: ClientLease, cursor: Cursor): void {
    const { log, waitList } = this.#node
    const { waitSeconds } = request
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
  #stream({ ctx, request }: Asked, transport: EventStream, lease: ClientLease, cursor: Cursor): void {
    this.#checkRoom()
    const { log, waitList } = this.#node
    const { waitSeconds } = request
    // Who does not wait is told all that there is by now, however long it takes to read that.
    const goal = waitSeconds === 0 ? log.head : undefined
    const holdSeconds = goal === undefined ? (waitSeconds ?? ROTATION_SECONDS) : ROTATION_SECONDS
    const holdMs = jitteredMs(Math.min(ROTATION_SECONDS, holdSeconds))
    const keepAliveMs = jitteredMs(this.#options.keepAliveSeconds)
    waitList.hold(ctx, { lease, transport, cursor, holdMs, keepAliveMs, goal }).wake(cursor.messageId)
  }

  #probe(asked: Asked, lease: ClientLease): void {
    const { probes } = this.#node
    if (this.#node.isClosing) throw this.#node.closed
    // One for each client, lest one client take the room of all.
    probes.end(lease.privateTokenHash)
    this.#checkRoom()
    const { ctx, transport } = asked
    probes.add(ctx, lease.privateTokenHash, { cursor: cursorOf(asked, lease), transport })
  }

  #checkRoom(): void {
    const { waitList, probes } = this.#node
    const { maxHeldRequests } = this.#options
    if (waitList.size + probes.size < maxHeldRequests) return
    const text = `This node holds ${maxHeldRequests} requests already. Try again later, or raise maxHeldRequests.`
    throw new CometException('COMET_TOO_MANY_REQUESTS_ARE_HELD', text)
  }

  #answerReplaced({ ctx, transport }: Asked, outcome: SubscribeOutcome): void {
    const answer = transport.render(outcome)
    if (transport.replaceAfterMs > 0) this.#node.lateAnswers.add(ctx, answer, transport.replaceAfterMs)
    else answerNow(ctx, answer)
  }

  #tell({ client }: ClientLease, wasUnseen: boolean): void {
    debugSubscribe('%s subscribes', client.publicToken)
    this.#node.events.emit('clientSubscribed', client)
    if (wasUnseen) this.#node.events.emit('clientResumed', client)
  }
}

function isProbe({ ctx, transport }: Asked): boolean {
  return transport instanceof EventStream && requestHeader(ctx, 'comet-probe') === '1'
}

/** Where it goes on. One that brings no cursor goes on where its client last acknowledged. */
function cursorOf({ request }: Asked, lease: ClientLease): Cursor {
  return request.cursor ?? lease.position
}

function candidateOf(lease: ClientLease): Candidate {
  return { lease, ticket: lease.takeTicket(), wasUnseen: isUnseen(lease) }
}

/** Whether the client is one that had been here, and was away. A client's first request is none. */
function isUnseen({ seenAt, holder }: ClientLease): boolean {
  return holder !== undefined && performance.now() - seenAt > UNSEEN_MS
}

function jitteredMs(seconds: number): number {
  return Math.ceil(seconds * 1000 * (1 - (JITTER * randomInt(JITTER_STEPS)) / JITTER_STEPS))
}
