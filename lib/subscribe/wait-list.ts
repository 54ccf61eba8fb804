import type { CometException } from '../comet-exception.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import type { Cursor } from '../cursor.ts'
import type { MessageLog, ReadResult } from '../message-log.ts'
import { EVERYBODY } from '../topics.ts'
import type { SubscribeContext } from './bare-context.ts'
import type { ClientLease } from './client-lease.ts'
import { drain } from './drain.ts'
import type { SubscribeOutcome } from './subscribe-outcome.ts'
import { UnorderedList } from './unordered-list.ts'
import { type Transport, type WaitParameters, WaitRequest, type WaitRoom } from './wait-request.ts'

/** How many requests are answered, and for how long, before others get a turn of the event loop. */
const MAX_SERVED_PER_TURN = 500
const MAX_TURN_MS = 10

export interface WaitListHost {
  readonly log: MessageLog
  readonly leases: {
    /** Wakes the requests of those whom a topic addresses, but for that of everybody. */
    wake(topic: string, through: number): void
    /** This one is to be found by `wake`. */
    rouse(lease: ClientLease): void
  }
  /** Why this node cannot vouch for its log at present, if so. */
  readonly trouble: CometException | undefined
}

/**
 * The requests that wait on this node. An entry only wakes: what is written to anybody is the result of one read at
 * the moment of writing, when the provider has told all that it tells at once, so that this leaves in one answer.
 */
export class WaitList implements WaitRoom {
  readonly #host: WaitListHost
  readonly #requests = new UnorderedList<WaitRequest>()
  #woken: WaitRequest[] = []
  #isTelling = false
  #lastResult: ReadResult | undefined
  #lastFound: Found | undefined
  /** When the last one will have been ended, of a node that closes. */
  #endsAt: number | undefined

  constructor(host: WaitListHost) {
    this.#host = host
  }

  /** How many requests are held. */
  get size(): number {
    return this.#requests.size
  }

  /** What a request of this client is told now; `undefined` if there is nothing, and it has to wait. */
  outcomeFor(lease: ClientLease, cursor: Cursor, { maxReadBytes }: Transport): Found {
    const { log } = this.#host
    const result = log.read(lease, cursor, maxReadBytes)
    const isAsOthers = lease.ending === undefined && this.#endsAt === undefined
    // The log gives the same object to all who read the same.
    if (isAsOthers && result === this.#lastResult && this.#lastFound) return this.#lastFound
    const outcome = outcomeOf(result, lease, log.epoch)
    const found = { outcome: outcome && this.#leaving(outcome), through: result.through }
    if (isAsOthers) {
      this.#lastResult = result
      this.#lastFound = found
    }
    return found
  }

  /** Holds a request that nothing else is to be done for. Its older request, if there is one, is the caller's. */
  hold(ctx: SubscribeContext, parameters: WaitParameters): WaitRequest {
    this.#host.leases.rouse(parameters.lease)
    const request = new WaitRequest(ctx, this, parameters)
    this.#requests.add(request)
    return request
  }

  /** Wakes those whom the message is addressed to. */
  wake(message: MessageEntry): void {
    const through = message.id - 1
    this.#isTelling = true
    for (const topic of message.topics) {
      if (topic === EVERYBODY) this.#wakeAll(through)
      else this.#host.leases.wake(topic, through)
    }
    this.#isTelling = false
  }

  /** Wakes all: the log that they wait in ends here, or has to be taken anew. */
  wakeAll(): void {
    this.#wakeAll(this.#host.log.head)
  }

  /** Ends all, evenly over this time: the channel closes. Who is still held goes on getting messages. */
  async close(overSeconds: number): Promise<void> {
    const overMs = overSeconds * 1000
    this.#endsAt = performance.now() + overMs
    await drain(this.#requests, overMs, (request) =>
      this.#conclude(request, (cursor) => ({ kind: 'closed', cursor })),
    )
  }

  /** In how many seconds the last one will have been ended; `undefined` unless the channel closes. */
  get closesInSeconds(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(0, (this.#endsAt - performance.now()) / 1000)
  }

  serveSoon(request: WaitRequest): void {
    if (this.#woken.length === 0) {
      // What a provider tells at once is gathered by then: a turn of the event loop would cost as much as the answer.
      if (this.#isTelling) process.nextTick(this.#serveWoken)
      else setImmediate(this.#serveWoken)
    }
    this.#woken.push(request)
  }

  timeOut(request: WaitRequest): void {
    const { trouble } = this.#host
    this.#conclude(request, (cursor) =>
      trouble ? { kind: 'stopped', exception: trouble } : { kind: 'timeout', cursor },
    )
  }

  keepAlive(request: WaitRequest): void {
    const { log, trouble } = this.#host
    if (trouble) return request.tell({ kind: 'stopped', exception: trouble })
    request.lease.noteQuiet(request.cursor.messageId, log.head)
    request.keepAlive(this.#head())
  }

  replace(request: WaitRequest, isByOwnPage: boolean): void {
    const cursor = request.isWoken ? request.cursor : this.#head()
    request.tell({ kind: 'replaced', cursor, isByOwnPage })
  }

  leave(request: WaitRequest): void {
    this.#requests.delete(request)
  }

  #wakeAll(through: number): void {
    this.#requests.forEach((request) => {
      request.wake(through)
    })
  }

  readonly #serveWoken = (): void => {
    const woken = this.#woken
    // Who is woken meanwhile comes after those who wait already.
    this.#woken = []
    const endsAt = performance.now() + MAX_TURN_MS
    let served = 0
    while (served < Math.min(woken.length, MAX_SERVED_PER_TURN)) {
      this.#serve(woken[served]!)
      served += 1
      if (performance.now() >= endsAt) break
    }
    if (served === woken.length) return
    if (this.#woken.length === 0) setImmediate(this.#serveWoken)
    this.#woken = [...woken.slice(served), ...this.#woken]
  }

  #serve(request: WaitRequest): void {
    // Koa has not unwound yet, or the connection is choked: it is served when that is over.
    if (!request.isOver && request.isWoken && request.isReady) this.#read(request)
  }

  /** Tells a request what there is for it, and lets it wait on if its transport can. */
  #read(request: WaitRequest): void {
    const { lease, cursor, transport } = request
    const { log } = this.#host
    if (lease.isStale && lease.end === undefined) return this.#sendBack(request)
    const { outcome, through } = this.outcomeFor(lease, cursor, transport)
    if (outcome === undefined) {
      lease.noteQuiet(cursor.messageId, through)
      request.waitFrom({ epoch: log.epoch, messageId: through })
    } else {
      request.tell(outcome)
      // There is more than one piece, or nothing can come after this.
      if (through < log.head || lease.ending) request.wake(through)
    }
    if (lease.ending === undefined && request.hasReached(through, log.head))
      request.tell({ kind: 'timeout', cursor: request.cursor })
  }

  /**
   * A lease that is fed no more does not know what is its client's: another may bear its public token by now. So
   * nothing is read for it. Its page comes again from where it was, and its record is loaded anew.
   */
  #sendBack(request: WaitRequest): void {
    const { log } = this.#host
    const reset = log.lossSince(request.lease, request.cursor)
    if (reset) {
      const cursor = { epoch: log.epoch, messageId: reset.messageId }
      request.tell({ kind: 'messages', cursor, messages: [], reset })
    }
    request.tell({ kind: 'timeout', cursor: request.cursor })
  }

  /** Ends a request with what there is to tell it, or else with the ending it has come to. */
  #conclude(request: WaitRequest, ending: (cursor: Cursor) => SubscribeOutcome): void {
    if (!request.isWoken) {
      // Nothing up to the head was for this client.
      request.lease.noteQuiet(request.cursor.messageId, this.#host.log.head)
      return request.tell(ending(this.#head()))
    }
    if (request.takesMessages) this.#read(request)
    request.tell(ending(request.isWoken ? request.cursor : this.#head()))
  }

  /** Of a node that closes, who has been answered is not to come back at once. */
  #leaving(outcome: SubscribeOutcome): SubscribeOutcome {
    const overSeconds = this.closesInSeconds
    return outcome.kind === 'messages' && overSeconds !== undefined ? { ...outcome, overSeconds } : outcome
  }

  #head(): Cursor {
    return { epoch: this.#host.log.epoch, messageId: this.#host.log.head }
  }
}

/** What a read has found. */
interface Found {
  readonly outcome: SubscribeOutcome | undefined
  readonly through: number
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
