import type { Context } from 'koa'
import type { Answer } from '../answer.ts'
import type { Cursor } from '../cursor.ts'
import type { ClientLease, Waiting } from './client-lease.ts'
import { HeldResponse, type ResponseOwner } from './held-response.ts'
import type { SubscribeOutcome } from './subscribe-outcome.ts'

/** How an outcome leaves. Transports differ in nothing else. */
export interface Transport {
  render(outcome: SubscribeOutcome): Answer
  /** How long a request that a newer one replaces is held on. */
  readonly replaceAfterMs: number
}

/** Where requests wait. */
export interface WaitRoom {
  /** Reads for the request at the end of the turn. */
  serveSoon(request: WaitRequest): void
  /** Answers a request that was held for its full time. */
  timeOut(request: WaitRequest): void
  /** Answers a request that a newer one replaces. */
  replace(request: WaitRequest): void
  /** The request is over. */
  leave(request: WaitRequest): void
}

export interface WaitParameters {
  readonly lease: ClientLease
  readonly transport: Transport
  /** What the page has seen; nothing addressed to it lies between this and what this node has applied. */
  readonly cursor: Cursor
  readonly holdMs: number
}

/** A subscribe request that is held. Ends exactly once, whichever of its many endings comes first. */
export class WaitRequest implements Waiting, ResponseOwner {
  readonly lease: ClientLease
  readonly transport: Transport
  readonly #room: WaitRoom
  readonly #response: HeldResponse
  #epoch: string
  #position: number
  #timer: NodeJS.Timeout
  #isWoken = false
  #isOver = false

  constructor(ctx: Context, room: WaitRoom, { lease, transport, cursor, holdMs }: WaitParameters) {
    this.lease = lease
    this.transport = transport
    this.#room = room
    this.#epoch = cursor.epoch
    this.#position = cursor.messageId
    this.#response = new HeldResponse(ctx, this)
    this.#timer = setTimeout(onTimeout, holdMs, this).unref()
    lease.held = this
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get isWoken(): boolean {
    return this.#isWoken
  }

  /** Whether an answer would leave at once. */
  get isReleased(): boolean {
    return this.#response.released
  }

  get cursor(): Cursor {
    return { epoch: this.#epoch, messageId: this.#position }
  }

  /** A read found nothing up to here: it waits on. */
  waitFrom(position: number): void {
    this.#isWoken = false
    this.#position = position
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

  settle(outcome: SubscribeOutcome): void {
    if (this.#isOver) return
    this.lease.seenAt = performance.now()
    this.#end()
    this.#response.send(this.transport.render(outcome))
  }

  replace(): void {
    if (this.transport.replaceAfterMs === 0) return this.#room.replace(this)
    if (this.lease.held === this) this.lease.held = undefined
    clearTimeout(this.#timer)
    this.#timer = setTimeout(onTimeout, this.transport.replaceAfterMs, this).unref()
  }

  timeOut(): void {
    this.#room.timeOut(this)
  }

  released(): void {
    if (this.#isWoken) this.#room.serveSoon(this)
  }

  closed(): void {
    // Not seen by this: the page may have gone to another node, or have said goodbye there.
    if (!this.#isOver) this.#end()
  }

  #end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    if (this.lease.held === this) this.lease.held = undefined
    this.#room.leave(this)
  }
}

/** One function for all timers. */
function onTimeout(request: WaitRequest): void {
  request.timeOut()
}
