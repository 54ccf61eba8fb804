import type { CometClient } from '../comet-client.ts'
import { CometException, ErrorText } from '../comet-exception.ts'
import type { ClientRecord, Entry } from '../comet-state-provider.ts'
import type { Cursor } from '../cursor.ts'
import type { Reader } from '../message-log.ts'
import type { SubscriptionVisitor } from '../places.ts'
import { ClientAddresses } from './client-addresses.ts'
import { leaseNow, NEVER } from './lease-clock.ts'
import type { Page } from './page.ts'
import type { UnfinishedAnswer } from './unfinished-answer.ts'

/** A lease outlives the idle time by a third of it and this, so that it may be renewed late and in batches. */
const LEASE_SLACK_SECONDS = 5

/** How long a client lives unseen from the moment its lease is renewed. */
export function leaseSeconds(connectionIdleSeconds: number): number {
  return (connectionIdleSeconds * 4) / 3 + LEASE_SLACK_SECONDS
}

/** A request that waits for a client's messages. */
export interface Waiting {
  /**
   * There may be something to tell it: it reads, and goes on waiting if there is not.
   * @param through unless it was woken before, nothing up to this id is for its client
   */
  wake(through: number): void
  /** Ends it because a newer request came, or another page has the client. */
  replace(isByOwnPage: boolean): void
}

/** What one node knows of a client that comes to it. Never stale: every entry applied here is fed to it. */
export class ClientLease implements Reader {
  readonly privateTokenHash: string
  /** The page that has the lease, as far as this node knows. */
  holder: string | undefined
  /** The request that waits for this client's messages. */
  held: Waiting | undefined
  /** Older ones that are held on for a moment. */
  replaced: Set<Waiting> | undefined
  /** Whether it is at no topic for the time being: that of `KnownLeases`. */
  isResting = false
  /** Whether this node has forgotten it: it is fed nothing more, and has to be found anew. */
  isStale = false
  /** When the lease was last renewed by this node: milliseconds on the monotonic clock. */
  renewedAt = NEVER
  /** A renewal that failed is not tried again in the background before this. */
  retryAt = 0
  /** When the client was last seen by this node. */
  seenAt = NEVER
  /** When a request last asked for it: it may be on its way still. */
  foundAt = leaseNow()
  readonly #addresses: ClientAddresses
  #answer: UnfinishedAnswer | undefined
  #acknowledgedEpoch: string | undefined
  #acknowledgedId = 0
  /** The newest interval of ids that was found to have nothing for this client. */
  #quietAfter = 0
  #quietThrough = 0
  #hasLeft = false
  /** What was asked before this by the page that left is not to bring it back. */
  #left: { readonly ticket: number; readonly pageId: string } | undefined
  #lastTicket = 0
  #servedTicket = 0
  #takenTicket = 0
  #servedPageId: string | undefined
  #ended: { readonly exception: CometException; readonly at: number | undefined } | undefined

  /** @param epoch the life of the log in which this node reads */
  constructor(record: ClientRecord, privateTokenHash: string, epoch: string) {
    const { holder, acknowledged } = record
    this.#addresses = new ClientAddresses(record, epoch)
    this.privateTokenHash = privateTokenHash
    this.holder = holder
    if (acknowledged) this.acknowledge(acknowledged.epoch, acknowledged.messageId)
  }

  /** The record, as of the newest entry applied here. */
  get client(): CometClient {
    return this.#addresses.client
  }

  get publicToken(): string {
    return this.#addresses.publicToken
  }

  get floor(): number {
    return this.#addresses.floor
  }

  get lostThrough(): number | undefined {
    return this.#addresses.lostThrough
  }

  forEachSubscription(visit: SubscriptionVisitor): void {
    this.#addresses.forEachSubscription(visit)
  }

  /** The id of the entry that ended this client, once it is applied here. */
  get end(): number | undefined {
    return this.#ended?.at
  }

  /** What to tell a request of a client that has ended. */
  get ending(): CometException | undefined {
    return this.#ended?.exception
  }

  /** Where a request that brings no cursor goes on. */
  get position(): Cursor {
    return this.acknowledged ?? this.client.start
  }

  get acknowledged(): Cursor | undefined {
    const epoch = this.#acknowledgedEpoch
    return epoch === undefined ? undefined : { epoch, messageId: this.#acknowledgedId }
  }

  /** Whether its page has said goodbye. Until a later request is served, nobody is seen here and nothing is renewed. */
  get hasLeft(): boolean {
    return this.#hasLeft
  }

  /** Wakes all that wait for this client's messages. */
  wake(through: number): void {
    this.held?.wake(through)
    if (this.replaced) for (const each of this.replaced) each.wake(through)
  }

  /** Takes note that nothing between these two ids is for this client. */
  noteQuiet(after: number, through: number): void {
    const isContinued = this.#quietAfter <= after && after <= this.#quietThrough
    if (!isContinued) this.#quietAfter = after
    this.#quietThrough = through
  }

  /**
   * A cursor that misses no more than the one given does. A page of the AspNetComet form does not move its cursor at a
   * timeout: what was trimmed behind it while there was nothing for it is no loss.
   */
  beyond(cursor: Cursor, epoch: string): Cursor {
    const { messageId } = cursor
    const isQuiet = this.#quietAfter <= messageId && messageId < this.#quietThrough
    return isQuiet && cursor.epoch === epoch ? { epoch, messageId: this.#quietThrough } : cursor
  }

  /** Takes note that a page has seen everything up to here. A lower position of the same epoch changes nothing. */
  acknowledge(epoch: string, messageId: number): void {
    if (this.#acknowledgedEpoch === epoch && this.#acknowledgedId >= messageId) return
    this.#acknowledgedEpoch = epoch
    this.#acknowledgedId = messageId
  }

  /** The answer that its reader has not taken yet, if there is one. */
  get answer(): UnfinishedAnswer | undefined {
    if (this.#answer?.isOver) this.#answer = undefined
    return this.#answer
  }

  /** Takes note of an answer on its way. There is one at a time, lest a client pile up what it does not read. */
  noteAnswer(answer: UnfinishedAnswer): void {
    this.#answer?.giveWayTo(answer)
    this.#answer = answer
  }

  /** Numbers the requests of this client in the order in which they came. */
  takeTicket(): number {
    this.#lastTicket += 1
    return this.#lastTicket
  }

  /**
   * Whether a newer request was served first: one of the same page, or of a page that took the client over. A newer
   * one of another page that only polls on says nothing: whose the client is, the lease tells. A goodbye counts as
   * the page's last request.
   */
  isOvertaken(ticket: number, page: Page): boolean {
    if (this.#left && ticket < this.#left.ticket && page.id === this.#left.pageId) return true
    return ticket < this.#takenTicket || (ticket < this.#servedTicket && page.id === this.#servedPageId)
  }

  /** Whether the request may be served: its page has the lease, and it is not overtaken. From now on older ones are. */
  serve(ticket: number, page: Page): boolean {
    if (this.holder !== page.id || this.isOvertaken(ticket, page)) return false
    this.#servedTicket = ticket
    this.#servedPageId = page.id
    if (page.take) this.#takenTicket = ticket
    this.#hasLeft = false
    return true
  }

  /** Whether it was this page that was served last: then what is held is its own. Without an id it may be any. */
  wasServing(page: Page): boolean {
    return page.id !== '' && page.id === this.#servedPageId
  }

  /** Takes note that a page said goodbye, unless another one has the lease. */
  leave(pageId: string): void {
    if (this.holder !== undefined && this.holder !== pageId) return
    this.#left = { ticket: this.takeTicket(), pageId }
    this.#hasLeft = true
  }

  /**
   * Takes an entry that may be about this client.
   * @param trimmedThrough what ended up to here nobody asks for any more
   */
  apply(entry: Entry, trimmedThrough: number): void {
    const { generation } = this.#addresses
    if (this.#ended || entry.id <= generation) return
    if (entry.kind === 'stop') {
      if (this.#addresses.areIn(entry)) this.finish(stoppedClient(), entry.id)
    } else if (entry.kind === 'message' || entry.kind === 'initialise' || entry.generation !== generation) {
      return
    } else if (entry.kind === 'remove') {
      this.finish(unknownToken(), entry.id)
    } else {
      this.#addresses.apply(entry, trimmedThrough)
    }
  }

  /** Whether a third of the idle time lay between the last renewal by this node, if there was one, and its client's last sign. */
  isDue(now: number): boolean {
    const { seenAt, renewedAt } = this
    const isOld = renewedAt !== NEVER && seenAt - renewedAt >= (this.client.connectionIdleSeconds * 1000) / 3
    return isOld && !this.#hasLeft && now >= this.retryAt
  }

  /** Whether its client has not been here for so long. Default: for the length of a lease. */
  isGone(now: number, forSeconds = leaseSeconds(this.client.connectionIdleSeconds)): boolean {
    return now - Math.max(this.seenAt, this.foundAt) > forSeconds * 1000
  }

  /** Ends this client here. Without an id of the log, nothing it was sent is known to be cut off. */
  finish(ending: CometException, at?: number): void {
    this.#ended ??= { exception: ending, at }
  }
}

export function unknownToken(): CometException {
  return new CometException('COMET_TOKEN_IS_UNKNOWN', ErrorText.clientDoesNotExist)
}

export function stoppedClient(): CometException {
  return new CometException(
    'COMET_CLIENT_IS_STOPPED',
    'This client was stopped by the app. It must not come back.',
  )
}
