import { randomInt } from 'node:crypto'
import type { ChannelNode } from '../channel-node.ts'
import { CometException } from '../comet-exception.ts'
import type { Cursor } from '../cursor.ts'
import type { CompleteOptions } from '../options.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { requestHeader } from '../subscribe/request-header.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import type { SubscribeRequest } from '../subscribe/subscribe-request.ts'
import type { AnsweringTransport } from '../subscribe/wait-request.ts'
import { EventStream } from '../transports/event-stream.ts'

/** A stream ends after this time, so that its page comes again and it is asked anew who that is. */
const ROTATION_SECONDS = 600

/**
 * Times are cut by up to a tenth at random, so that thousands begun together do not end together: in a few steps,
 * since Node keeps a list of timers for each duration.
 */
const JITTER = 0.1
const JITTER_STEPS = 20

/** A request that has been read. */
export interface Arrival {
  readonly ctx: SubscribeContext
  readonly request: SubscribeRequest
  readonly transport: AnsweringTransport
}

/** Answers requests with what there is for their clients, or holds them until there is. All is done at once. */
export class SubscribeAnswers {
  readonly #node: ChannelNode
  readonly #options: CompleteOptions

  constructor(node: ChannelNode, options: CompleteOptions) {
    this.#node = node
    this.#options = options
  }

  /** @param cursor what the page has seen */
  give(arrival: Arrival, lease: ClientLease, cursor: Cursor): void {
    const { log } = this.#node
    // With the log's own text: the page's would keep the header that it came in.
    if (cursor.epoch === log.epoch && cursor.messageId <= log.head)
      lease.acknowledge(log.epoch, cursor.messageId)
    const from = lease.beyond(cursor, log.epoch)
    if (arrival.transport instanceof EventStream) this.#stream(arrival, arrival.transport, lease, from)
    else this.#poll(arrival, lease, from)
  }

  /** To a request that a newer one has replaced, or whose page has the client no more. */
  giveReplaced({ ctx, transport }: Arrival, cursor: Cursor, isByOwnPage: boolean): void {
    const outcome: SubscribeOutcome = { kind: 'replaced', cursor, isByOwnPage }
    const answer = transport.render(outcome)
    if (transport.replaceAfterMs > 0) this.#node.lateAnswers.add(ctx, answer, transport.replaceAfterMs)
    else answerNow(ctx, answer)
  }

  /** Holds a request that only tries whether streams get through. */
  probe({ ctx, transport }: Arrival, lease: ClientLease, cursor: Cursor): void {
    const { probes } = this.#node
    if (this.#node.isClosing) throw this.#node.closed
    // One for each client, lest one client take the room of all.
    probes.end(lease.privateTokenHash)
    this.#checkRoom()
    probes.add(ctx, lease.privateTokenHash, { cursor, transport })
  }

  #poll({ ctx, request, transport }: Arrival, lease: ClientLease, cursor: Cursor): void {
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

  /** A stream begins to read when all else of its request is done, and its head goes out with what there is. */
  #stream({ ctx, request }: Arrival, transport: EventStream, lease: ClientLease, cursor: Cursor): void {
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

  #checkRoom(): void {
    const { waitList, probes } = this.#node
    const { maxHeldRequests } = this.#options
    if (waitList.size + probes.size < maxHeldRequests) return
    const text = `This node holds ${maxHeldRequests} requests already. Try again later, or raise maxHeldRequests.`
    throw new CometException('COMET_TOO_MANY_REQUESTS_ARE_HELD', text)
  }
}

/** Whether a request only tries whether the beginning of a stream gets through. */
export function isProbe({ ctx, transport }: Arrival): boolean {
  return transport instanceof EventStream && requestHeader(ctx, 'comet-probe') === '1'
}

function jitteredMs(seconds: number): number {
  return Math.ceil(seconds * 1000 * (1 - (JITTER * randomInt(JITTER_STEPS)) / JITTER_STEPS))
}
