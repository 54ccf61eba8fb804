import type { Context } from 'koa'
import type { ChannelEmitter } from '../channel-events.ts'
import { CometException } from '../comet-exception.ts'
import type { ClaimOutcome, ICometStateProvider } from '../comet-state-provider.ts'
import type { CompleteOptions } from '../options.ts'
import { type ClientLease, unknownToken } from '../subscribe/client-lease.ts'
import { isGone } from '../subscribe/is-gone.ts'
import { type ClaimedKey, Claims } from './claims.ts'
import { CometRefusal } from './comet-refusal.ts'
import { withinTime } from './limited-time.ts'
import { MessageHandlers, type Run } from './message-handlers.ts'
import { checkedReply, FAILED, type Reply, refusedBy, repliedBy } from './reply.ts'
import { Turns } from './turns.ts'

/** How many of a client's sends may wait for its earlier ones. */
const MAX_WAITING = 16

/** What a page sends. */
export interface UpstreamMessage {
  readonly name: string
  readonly contents: unknown
  /** The same for each repetition. Without one, a repetition is another message. */
  readonly key: string | undefined
  /** Koa's context of the request. */
  readonly ctx: Context
  /** Rejects if the client may not send this. */
  allow(): Promise<void>
}

/** A send that is under way, and the requests that wait for what it comes to. */
interface SendUnderWay {
  readonly reply: Promise<Reply>
  readonly requests: Context[]
}

/** What of one client is under way on this node. */
interface ClientSends {
  readonly turns: Turns
  readonly byKey: Map<string, SendUnderWay>
}

/** A key that is this run's. */
type HeldClaim = ClaimedKey & { readonly run: string }

/** A send whose handler is to run now; or what it came to without one. */
type Asked = { readonly run: Run } | { readonly reply: Reply }

/** The same, of one with a key: what it comes to is to be recorded. */
type Prepared = Asked & { readonly claim?: HeldClaim }

/**
 * Runs the handlers of what pages send: those of one client in order, and each send once. Its key is claimed in the
 * store before its handler runs, and what that comes to is recorded for repetitions, to whichever node they come.
 */
export class Upstream {
  readonly handlers = new MessageHandlers()
  readonly #claims: Claims
  readonly #events: ChannelEmitter
  readonly #options: CompleteOptions
  readonly #sends = new WeakMap<ClientLease, ClientSends>()
  readonly #underWay = new Set<Promise<unknown>>()
  #closed: CometException | undefined
  #isDrained = false

  constructor(provider: ICometStateProvider, options: CompleteOptions, events: ChannelEmitter) {
    const { providerTimeoutSeconds, handlerTimeoutSeconds } = options
    this.#claims = new Claims(provider, providerTimeoutSeconds, handlerTimeoutSeconds)
    this.#options = options
    this.#events = events
  }

  /**
   * Resolves with what the send came to, be it by an earlier attempt. Rejects with a `CometException` if no handler ran
   * for it, or if it is not known what one came to.
   */
  async send(lease: ClientLease, message: UpstreamMessage): Promise<Reply> {
    if (this.#closed) throw this.#closed
    const { turns, byKey } = this.#sendsOf(lease)
    const { key, ctx } = message
    const repeated = key === undefined ? undefined : byKey.get(key)
    if (repeated) {
      repeated.requests.push(ctx)
      return repeated.reply
    }
    if (turns.length >= MAX_WAITING) {
      const text = `${MAX_WAITING} messages of this client wait already. Send one after another.`
      throw new CometException('COMET_TOO_MANY_REQUESTS', text)
    }
    const requests = [ctx]
    const reply = turns.take(() => this.#attempt(lease, message, requests))
    this.#note(reply)
    if (key !== undefined) {
      byKey.set(key, { reply, requests })
      void reply.catch(() => {}).finally(() => byKey.delete(key))
    }
    return reply
  }

  /** From now on no handler begins. Resolves when those that run have ended, or taken too long. */
  async close(reason: CometException): Promise<void> {
    this.#closed = reason
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
    this.#isDrained = true
  }

  #sendsOf(lease: ClientLease): ClientSends {
    const known = this.#sends.get(lease)
    if (known) return known
    const sends = { turns: new Turns(), byKey: new Map() }
    this.#sends.set(lease, sends)
    return sends
  }

  #note(reply: Promise<Reply>): void {
    this.#underWay.add(reply)
    void reply.catch(() => {}).finally(() => this.#underWay.delete(reply))
  }

  async #attempt(lease: ClientLease, message: UpstreamMessage, requests: readonly Context[]): Promise<Reply> {
    const prepared = await this.#prepareInTime(lease, message, requests)
    if ('run' in prepared) return this.#handle(lease, message, prepared.run, prepared.claim)
    if (prepared.claim) await this.#record(prepared.claim, prepared.reply)
    return prepared.reply
  }

  /** No handler has run for one that takes too long: its page may ask again. */
  #prepareInTime(
    lease: ClientLease,
    message: UpstreamMessage,
    requests: readonly Context[],
  ): Promise<Prepared> {
    const late = () =>
      new CometException('COMET_SEND_IS_RUNNING', 'What comes before the handler takes too long. Ask again.')
    return withinTime(this.#options.handlerTimeoutSeconds, {
      task: async (signal) => {
        // Its page has sent it again by now, elsewhere or long since.
        const isWanted = () => requests.some(({ res }) => !isGone(res))
        this.#checkMayBegin(lease, isWanted)
        if (message.key === undefined) {
          const asked = await this.#askApp(message)
          if (!signal.aborted) this.#checkMayBegin(lease, isWanted)
          return asked
        }
        const claimed = await this.#claim(lease, message.key)
        if ('reply' in claimed) return claimed
        // It is the one run from here on, also if its page has gone: a repetition elsewhere waits for it.
        const asked = await this.#askApp(message)
        if (lease.ending) throw lease.ending
        if (!signal.aborted) return { ...asked, claim: claimed }
        this.#claims.giveBack(claimed)
        throw late()
      },
      late,
    })
  }

  #checkMayBegin(lease: ClientLease, isWanted: () => boolean): void {
    if (this.#closed) throw this.#closed
    if (lease.ending) throw lease.ending
    if (!isWanted()) {
      throw new CometException('COMET_SEND_IS_RUNNING', 'Nobody waits for this attempt any more.')
    }
  }

  async #claim(lease: ClientLease, key: string): Promise<HeldClaim | { readonly reply: Reply }> {
    const { publicToken, generation } = lease.client
    const claimed: ClaimedKey = { publicToken, generation, key }
    const outcome = await this.#claims.claim(claimed)
    if (typeof outcome === 'string' || 'reply' in outcome) return { reply: replyOf(outcome, lease) }
    return { ...claimed, run: outcome.run }
  }

  /** Whether the client may, and whether there is a handler for it. If not, that is the reply. */
  async #askApp({ name, contents, allow }: UpstreamMessage): Promise<Asked> {
    try {
      await allow()
      return { run: await this.handlers.prepare(name, contents) }
    } catch (error) {
      const isTold = error instanceof CometRefusal || error instanceof CometException
      return { reply: isTold ? refusedBy(error) : this.#failed(error) }
    }
  }

  /** One that takes too long holds up those after it no longer. What it comes to is recorded all the same. */
  async #handle(
    lease: ClientLease,
    { ctx }: UpstreamMessage,
    run: Run,
    claim: HeldClaim | undefined,
  ): Promise<Reply> {
    const { handlerTimeoutSeconds, maxMessageBytes } = this.#options
    let recording = Promise.resolve()
    const handle = async (signal: AbortSignal): Promise<Reply> => {
      const reply = await repliedBy(async () => run({ client: lease.client, ctx, signal }))
        .then((reply) => checkedReply(reply, maxMessageBytes))
        .catch((error: unknown) => this.#failed(error))
      if (claim) recording = this.#record(claim, reply)
      return reply
    }
    const text = `The handler has taken more than ${handlerTimeoutSeconds} s.`
    const reply = await withinTime(handlerTimeoutSeconds, {
      task: handle,
      late: () => new CometException('COMET_OUTCOME_IS_UNKNOWN', text),
    })
    await recording
    return reply
  }

  /** For repetitions. The page is answered, whether that works or not. */
  async #record({ run, ...key }: HeldClaim, reply: Reply): Promise<void> {
    if (this.#isDrained) return
    try {
      await this.#claims.settle(key, run, reply)
    } catch (error) {
      this.#events.emit('error', error)
    }
  }

  /** What the app did wrong is told to the app, and to nobody else. */
  #failed(error: unknown): Reply {
    this.#events.emit('error', error)
    return FAILED
  }
}

/** What a repetition is told, whose first attempt went to another node or another life of this one. */
function replyOf(outcome: Exclude<ClaimOutcome, 'claimed'>, lease: ClientLease): Reply {
  if (typeof outcome === 'object') return JSON.parse(outcome.reply) as Reply
  if (outcome === 'gone') throw lease.ending ?? unknownToken()
  if (outcome === 'running') {
    throw new CometException('COMET_SEND_IS_RUNNING', 'An earlier attempt is being worked on. Ask again.')
  }
  const text = 'An earlier attempt was begun, and nobody knows what became of it.'
  throw new CometException('COMET_OUTCOME_IS_UNKNOWN', text)
}
