import type { ChannelNode } from '../channel-node.ts'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import { type Cursor, FOREIGN_CURSOR } from '../cursor.ts'
import { debugSubscribe } from '../debug.ts'
import type { CompleteOptions } from '../options.ts'
import { hashToken } from '../private-token.ts'
import type { ClientLease } from '../subscribe/client-lease.ts'
import { isGone } from '../subscribe/is-gone.ts'
import { leaseNow } from '../subscribe/lease-clock.ts'
import { type Arrival, isProbe, SubscribeAnswers } from './subscribe-answers.ts'

/** A client unseen for longer than this has resumed when it subscribes. */
const UNSEEN_MS = 5000

/** How often a client may be found to have changed on the way to its request. */
const MAX_TRIES = 5

/** Rejects if the app does not let the client subscribe. */
export type AskApp = (client: CometClient) => Promise<void>

/** A request that wants in. */
interface Applicant extends Arrival {
  /** Absent if nobody is to be asked. */
  readonly askApp: AskApp | undefined
}

/** The client that bears a request's token, as it was when the request came to it. */
interface Bearer {
  readonly lease: ClientLease
  readonly ticket: number
  readonly wasUnseen: boolean
}

/** Lets subscribe requests in, in the order in which they came. */
export class Admissions {
  readonly #node: ChannelNode
  readonly #answers: SubscribeAnswers

  constructor(node: ChannelNode, options: CompleteOptions) {
    this.#node = node
    this.#answers = new SubscribeAnswers(node, options)
  }

  /** Nothing is awaited without need: most polls are held in the turn that they came in, and there is no promise then. */
  admit(applicant: Applicant): Promise<void> | undefined {
    const privateTokenHash = hashToken(applicant.request.privateToken)
    const lease = this.#node.leases.known(privateTokenHash)
    if (lease === undefined || applicant.askApp || isProbe(applicant))
      return this.#admitInTime(applicant, privateTokenHash, MAX_TRIES)
    if (isGone(applicant.ctx.res)) return undefined
    const isServed = this.#tryFor(bearerOf(lease), applicant)
    return isServed === true ? undefined : this.#admitUnless(isServed, applicant, privateTokenHash)
  }

  async #admitUnless(
    isServed: Promise<boolean> | boolean,
    applicant: Applicant,
    privateTokenHash: string,
  ): Promise<void> {
    if (!(await isServed)) await this.#admitInTime(applicant, privateTokenHash, MAX_TRIES - 1)
  }

  async #admitInTime(applicant: Applicant, privateTokenHash: string, maxTries: number): Promise<void> {
    const { leases } = this.#node
    for (let tries = 0; tries < maxTries; tries++) {
      const bearer = bearerOf(leases.known(privateTokenHash) ?? (await leases.find(privateTokenHash)))
      await applicant.askApp?.(bearer.lease.client)
      // Who is gone may have said goodbye meanwhile: nothing is renewed for it.
      if (isGone(applicant.ctx.res)) return
      if (isProbe(applicant))
        return this.#answers.probe(applicant, bearer.lease, cursorOf(applicant, bearer.lease))
      if (await this.#tryFor(bearer, applicant)) return
    }
    const text = 'This client changes faster than it can be served. Try again later.'
    throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
  }

  /** Serves at once, or when the lease is the page's and its cursor is known here, as far as waiting can bring that. */
  #tryFor(bearer: Bearer, applicant: Applicant): Promise<boolean> | boolean {
    const { lease, ticket } = bearer
    const { page } = applicant.request
    const confirmed = lease.isOvertaken(ticket, page) ? undefined : this.#node.leases.confirm(lease, page)
    const mustWait =
      confirmed !== undefined ||
      !this.#isKnown(cursorOf(applicant, lease)) ||
      lease.answer?.isAheadOf(applicant.ctx.res)
    return mustWait ? this.#waitFor(confirmed, bearer, applicant) : this.#serve(bearer, applicant)
  }

  async #waitFor(
    confirmed: Promise<void> | undefined,
    bearer: Bearer,
    applicant: Applicant,
  ): Promise<boolean> {
    const { lease } = bearer
    await confirmed
    if (!this.#isKnown(cursorOf(applicant, lease))) await this.#node.catchUp()
    // Answers of one connection leave in order: until the one before has, this one would only lie in memory.
    const { res } = applicant.ctx
    while (lease.answer?.isAheadOf(res)) await lease.answer.turnOf(res)
    return this.#serve(bearer, applicant)
  }

  /** A cursor that this node does not know yet may be known to the store. */
  #isKnown(cursor: Cursor): boolean {
    const { log } = this.#node
    return (cursor.epoch === log.epoch && cursor.messageId <= log.head) || cursor === FOREIGN_CURSOR
  }

  /**
   * Nothing is awaited here: what is read is what is answered, or waited from.
   * @returns false if the client was forgotten, or ended: who bears the token by now, the store tells
   */
  #serve({ lease, ticket, wasUnseen }: Bearer, applicant: Applicant): boolean {
    const { page } = applicant.request
    if (isGone(applicant.ctx.res)) return true
    if (this.#node.isClosing) throw this.#node.closed
    if (lease.isStale) return false
    if (this.#node.trouble) throw this.#node.trouble
    const cursor = cursorOf(applicant, lease)
    const isByOwnPage = lease.wasServing(page)
    if (lease.serve(ticket, page)) {
      lease.held?.replace(isByOwnPage)
      this.#tell(lease, wasUnseen)
      this.#answers.give(applicant, lease, cursor)
    } else {
      this.#answers.giveReplaced(applicant, cursor, isByOwnPage)
    }
    return true
  }

  #tell({ client }: ClientLease, wasUnseen: boolean): void {
    debugSubscribe('%s subscribes', client.publicToken)
    this.#node.events.emit('clientSubscribed', client)
    if (wasUnseen) this.#node.events.emit('clientResumed', client)
  }
}

/** Where it goes on. One that brings no cursor goes on where its client last acknowledged. */
function cursorOf({ request }: Arrival, lease: ClientLease): Cursor {
  return request.cursor ?? lease.position
}

function bearerOf(lease: ClientLease): Bearer {
  return { lease, ticket: lease.takeTicket(), wasUnseen: isUnseen(lease) }
}

/** Whether the client is one that had been here, and was away. A client's first request is none. */
function isUnseen({ seenAt, holder }: ClientLease): boolean {
  return holder !== undefined && leaseNow() - seenAt > UNSEEN_MS
}
