import type { Answer } from '../answer.ts'
import type { Cursor } from '../cursor.ts'
import type { SubscribeContext } from './bare-context.ts'
import type { ClientLease, Waiting } from './client-lease.ts'
import { HeldResponse, type ResponseOwner } from './held-response.ts'
import { leaseNow } from './lease-clock.ts'
import type { SubscribeOutcome } from './subscribe-outcome.ts'
import type { UnfinishedAnswer } from './unfinished-answer.ts'
import type { Listed } from './unordered-list.ts'

/** How outcomes leave. Transports differ in nothing else. */
export interface Transport {
  /** How much is read for an answer, or a piece of one; at least one message. */
  readonly maxReadBytes: number
  /** How long a request that a newer one replaces is held on. */
  readonly replaceAfterMs: number
  /**
   * Tells a held request an outcome. Returns whether it goes on: a stream does after messages, all else is over.
   * @param page what it had seen before
   */
  tell(response: HeldResponse, outcome: SubscribeOutcome, page: { readonly cursor: Cursor }): boolean
  /** Begins an answer before there is an outcome. A poll does not. */
  begin?(response: HeldResponse, from: Cursor, seen: Cursor): void
  /** Says where the page is while there is nothing else to say. */
  keepAlive?(response: HeldResponse, seen: Cursor): void
}

/** A transport that can also answer a request at once, through Koa. */
export interface AnsweringTransport extends Transport {
  render(outcome: SubscribeOutcome): Answer
}

/** Where requests wait. */
export interface WaitRoom {
  /** Reads for the request when what is being done is done. */
  serveSoon(request: WaitRequest): void
  /** Answers a request that was held for its full time. */
  timeOut(request: WaitRequest): void
  /** Tells a request that it is alive. */
  keepAlive(request: WaitRequest): void
  /** Answers a request that a newer one replaces. */
  replace(request: WaitRequest, isByOwnPage: boolean): void
  /** The request is over. */
  leave(request: WaitRequest): void
}

export interface WaitParameters {
  readonly lease: ClientLease
  readonly transport: Transport
  /** What the page has seen. For a poll, nothing addressed to it lies between this and what this node has applied. */
  readonly cursor: Cursor
  readonly holdMs: number
  /** How long it may hear nothing. Absent: as long as it is held. */
  readonly keepAliveMs?: number
  /** Ends it when all up to here has been told. Absent: it waits for more. */
  readonly goal?: number | undefined
}

/** A subscribe request that is held. Ends exactly once, whichever of its many endings comes first. */
export class WaitRequest implements Waiting, ResponseOwner, Listed {
  readonly lease: ClientLease
  readonly transport: Transport
  /** The room's. */
  place = 0
  readonly #room: WaitRoom
  #response: HeldResponse | undefined
  readonly #endsAt: number
  readonly #periodMs: number
  readonly #goal: number | undefined
  #epoch: string
  #position: number
  #timer: NodeJS.Timeout
  #isWoken = false
  #isOver = false

  constructor(ctx: SubscribeContext, room: WaitRoom, parameters: WaitParameters) {
    const { lease, transport, cursor, holdMs, keepAliveMs = holdMs, goal } = parameters
    this.lease = lease
    this.transport = transport
    this.#room = room
    this.#epoch = cursor.epoch
    this.#position = cursor.messageId
    this.#goal = goal
    this.#response = new HeldResponse(ctx, this)
    // A timer may fire a part of a millisecond early.
    this.#endsAt = leaseNow() + holdMs - 1
    this.#periodMs = Math.min(holdMs, keepAliveMs)
    this.#timer = setTimeout(onTimer, this.#periodMs, this).unref()
    lease.held = this
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get isWoken(): boolean {
    return this.#isWoken
  }

  /** Whether what is told it would leave at once. */
  get isReady(): boolean {
    return this.#isReleased && this.#response?.isChoked === false
  }

  /** Whether messages can be told it. A stream cannot begin before it is released; a whole answer waits for that. */
  get takesMessages(): boolean {
    return this.isReady || this.transport.begin === undefined
  }

  get cursor(): Cursor {
    return { epoch: this.#epoch, messageId: this.#position }
  }

  /** Whether it has been told all that it asked for, by an answer that has told all up to here. */
  hasReached(through: number, head: number): boolean {
    // The ids of another life of the log may be lower.
    return this.#goal !== undefined && through >= Math.min(this.#goal, head)
  }

  /** A read found nothing between its cursor and this: it waits on. */
  waitFrom(seen: Cursor): void {
    if (this.#response?.hasBegun === false) this.transport.begin?.(this.#response, this.cursor, seen)
    this.#moveTo(seen)
  }

  keepAlive(seen: Cursor): void {
    if (this.#response) this.transport.keepAlive?.(this.#response, seen)
    this.#moveTo(seen)
  }

  wake(through: number): void {
    if (this.#isOver || this.#isWoken) return
    this.#isWoken = true
    if (through > this.#position) {
      // What is trimmed up to here is no loss to this client.
      this.lease.noteQuiet(this.#position, through)
      this.#position = through
    }
    this.#room.serveSoon(this)
  }

  /** Tells it, and ends it unless its transport goes on after that. Does nothing if it is over. */
  tell(outcome: SubscribeOutcome): void {
    if (this.#response === undefined) return
    const goesOn = this.transport.tell(this.#response, outcome, this)
    if (goesOn && outcome.kind === 'messages') return this.#moveTo(outcome.cursor)
    // As long as it is held, `Leases.tick` does that each second.
    this.lease.seenAt = leaseNow()
    this.#end()
  }

  replace(isByOwnPage: boolean): void {
    if (this.transport.replaceAfterMs === 0) return this.#room.replace(this, isByOwnPage)
    if (this.lease.held === this) this.lease.held = undefined
    this.lease.replaced ??= new Set()
    this.lease.replaced.add(this)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(onReplaced, this.transport.replaceAfterMs, this).unref()
  }

  timeOut(): void {
    this.#room.timeOut(this)
  }

  onTimer(): void {
    const leftMs = this.#endsAt - performance.now()
    if (leftMs <= 0) {
      // A stream is to have told what there is before it ends: it does so when it is released.
      if (this.takesMessages || this.#isReleased) this.timeOut()
      return
    }
    if (this.isReady && !this.#isWoken) this.#room.keepAlive(this)
    if (this.#isOver) return
    // The end comes in its own time, not with a later keep-alive.
    if (leftMs < this.#periodMs) this.#timer = setTimeout(onTimer, leftMs, this).unref()
    else this.#timer.refresh()
  }

  released(): void {
    if (this.#isWoken) this.#room.serveSoon(this)
    if (!this.#isOver && performance.now() >= this.#endsAt) this.timeOut()
  }

  drained(): void {
    if (this.#isWoken) this.#room.serveSoon(this)
  }

  unfinished(answer: UnfinishedAnswer): void {
    this.lease.noteAnswer(answer)
  }

  closed(): void {
    // Not seen by this: the page may have gone to another node, or have said goodbye there.
    if (!this.#isOver) this.#end()
  }

  #moveTo({ epoch, messageId }: Cursor): void {
    this.#isWoken = false
    this.#epoch = epoch
    this.#position = messageId
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    if (this.lease.held === this) this.lease.held = undefined
    this.lease.replaced?.delete(this)
    this.#room.leave(this)
    // What points here may be old by now and dead, as the table of a set that was made anew. V8 would keep the response
    // for it until its next large collection: garbage of one kilobyte or more for each answer.
    this.#response = undefined
  }

  get #isReleased(): boolean {
    return this.#response?.released === true
  }
}

/** One function for all timers. */
function onTimer(request: WaitRequest): void {
  request.onTimer()
}

function onReplaced(request: WaitRequest): void {
  request.timeOut()
}
