import type { Context } from 'koa'
import type { CometException } from '../comet-exception.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import type { Cursor } from '../cursor.ts'
import type { MessageLog, ReadResult } from '../message-log.ts'
import type { ClientLease } from './client-lease.ts'
import type { SubscribeOutcome } from './subscribe-outcome.ts'
import { TopicIndex } from './topic-index.ts'
import { type WaitParameters, WaitRequest, type WaitRoom } from './wait-request.ts'

/** How many requests are answered before others get a turn of the event loop. */
const MAX_SERVED_PER_TURN = 500

export interface WaitListHost {
  readonly log: MessageLog
  readonly maxAnswerBytes: number
  /** Why this node cannot vouch for its log at present, if so. */
  readonly trouble: CometException | undefined
}

/**
 * The requests that wait on this node. An entry only wakes: what is written to anybody is the result of one read at
 * the moment of writing, at the end of the turn, so that all entries of a turn leave in one answer.
 */
export class WaitList implements WaitRoom {
  readonly #host: WaitListHost
  readonly #requests = new Set<WaitRequest>()
  readonly #byTopic = new TopicIndex<WaitRequest>()
  #woken: WaitRequest[] = []

  constructor(host: WaitListHost) {
    this.#host = host
  }

  /** How many requests are held. */
  get size(): number {
    return this.#requests.size
  }

  /** What a request of this client is told now; `undefined` if there is nothing, and it has to wait. */
  outcomeFor(lease: ClientLease, cursor: Cursor): { outcome: SubscribeOutcome | undefined; through: number } {
    const { log, maxAnswerBytes } = this.#host
    const result = log.read(lease, cursor, maxAnswerBytes)
    return { outcome: outcomeOf(result, lease, log.epoch), through: result.through }
  }

  /** Holds the request that Koa is about to be done with. Its older request, if there is one, is the caller's. */
  hold(ctx: Context, parameters: WaitParameters): void {
    const request = new WaitRequest(ctx, this, parameters)
    this.#requests.add(request)
    for (const { topic } of request.lease.subscriptions) this.#byTopic.add(topic, request)
  }

  /** Wakes those whom the message is addressed to. */
  wake(message: MessageEntry): void {
    for (const topic of message.topics) {
      this.#byTopic.forEach(topic, (request) => request.wake(message.id - 1))
    }
  }

  /** Wakes all: the log that they wait in ends here, or has to be taken anew. */
  wakeAll(): void {
    for (const request of this.#requests) request.wake(this.#host.log.head)
  }

  /** Answers all: the channel closes. */
  close(overSeconds: number): void {
    for (const request of this.#requests) {
      this.#conclude(request, (cursor) => ({ kind: 'closed', cursor, overSeconds }))
    }
  }

  serveSoon(request: WaitRequest): void {
    if (this.#woken.length === 0) setImmediate(this.#serveWoken)
    this.#woken.push(request)
  }

  timeOut(request: WaitRequest): void {
    const { trouble } = this.#host
    this.#conclude(request, (cursor) =>
      trouble ? { kind: 'stopped', exception: trouble } : { kind: 'timeout', cursor },
    )
  }

  replace(request: WaitRequest): void {
    const cursor = request.isWoken ? request.cursor : this.#head()
    request.settle({ kind: 'replaced', cursor })
  }

  leave(request: WaitRequest): void {
    this.#requests.delete(request)
    for (const { topic } of request.lease.subscriptions) this.#byTopic.delete(topic, request)
  }

  readonly #serveWoken = (): void => {
    const rest = this.#woken.splice(MAX_SERVED_PER_TURN)
    const served = this.#woken
    this.#woken = rest
    if (rest.length > 0) setImmediate(this.#serveWoken)
    for (const request of served) this.#serve(request)
  }

  #serve(request: WaitRequest): void {
    // Koa has not unwound yet: it is served when that is done.
    if (request.isOver || !request.isReleased) return
    const { outcome, through } = this.#read(request)
    if (outcome) request.settle(outcome)
    else {
      request.lease.noteQuiet(request.cursor.messageId, through)
      request.waitFrom(through)
    }
  }

  #read(request: WaitRequest): { outcome: SubscribeOutcome | undefined; through: number } {
    const { lease, cursor } = request
    const isOutdated = lease.isStale && lease.end === undefined
    return isOutdated ? this.#sendBack(lease, cursor) : this.outcomeFor(lease, cursor)
  }

  /**
   * A lease that is fed no more does not know what is its client's: another may bear its public token by now. So
   * nothing is read for it. Its page comes again from where it was, and its record is loaded anew.
   */
  #sendBack(lease: ClientLease, cursor: Cursor): { outcome: SubscribeOutcome; through: number } {
    const { log } = this.#host
    const reset = log.lossSince(lease, cursor)
    if (reset === undefined) return { outcome: { kind: 'timeout', cursor }, through: cursor.messageId }
    const begin = { epoch: log.epoch, messageId: reset.messageId }
    return { outcome: { kind: 'messages', cursor: begin, messages: [], reset }, through: begin.messageId }
  }

  /** Ends a request with what there is to tell it, or else with the ending it has come to. */
  #conclude(request: WaitRequest, ending: (cursor: Cursor) => SubscribeOutcome): void {
    if (!request.isWoken) {
      // Nothing up to the head was for this client.
      request.lease.noteQuiet(request.cursor.messageId, this.#host.log.head)
      return request.settle(ending(this.#head()))
    }
    const { outcome } = this.#read(request)
    request.settle(outcome ?? ending(this.#head()))
  }

  #head(): Cursor {
    return { epoch: this.#host.log.epoch, messageId: this.#host.log.head }
  }
}

function outcomeOf(
  { messages, through, reset }: ReadResult,
  lease: ClientLease,
  epoch: string,
): SubscribeOutcome | undefined {
  if (messages.length > 0 || reset) {
    const cursor = { epoch, messageId: through }
    return reset ? { kind: 'messages', cursor, messages, reset } : { kind: 'messages', cursor, messages }
  }
  return lease.ending && { kind: 'stopped', exception: lease.ending }
}
