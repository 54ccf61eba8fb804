import type { Context } from 'koa'
import type { ChannelEmitter } from '../channel-events.ts'
import { CometException } from '../comet-exception.ts'
import type { ClaimOutcome, ICometStateProvider } from '../comet-state-provider.ts'
import type { Awaitable, CompleteOptions } from '../options.ts'
import { type ClientLease, unknownToken } from '../subscribe/client-lease.ts'
import { type ClaimedKey, Claims } from './claims.ts'
import { MessageHandlers, type Sent } from './message-handlers.ts'
import { checkedReply, FAILED, type Reply, repliedBy } from './reply.ts'
import { Turns } from './turns.ts'

/** How many of a client's sends may wait for its earlier ones. */
const MAX_WAITING = 16

/** What a page sends. */
export interface UpstreamMessage {
  readonly name: string
  readonly contents: unknown
  /** The same for each repetition. Without one, a repetition is another message. */
  readonly key: string | undefined
}

type Run = (sent: Sent) => Awaitable<unknown>

/** What of one client is under way on this node. */
interface ClientSends {
  readonly turns: Turns
  readonly byKey: Map<string, Promise<Reply>>
}

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
  send(lease: ClientLease, message: UpstreamMessage, ctx: Context): Promise<Reply> {
    const { turns, byKey } = this.#sendsOf(lease)
    const { key } = message
    const repeated = key === undefined ? undefined : byKey.get(key)
    if (repeated) return repeated
    if (turns.length >= MAX_WAITING) {
      const text = `${MAX_WAITING} messages of this client wait already. Send one after another.`
      return Promise.reject(new CometException('COMET_TOO_MANY_REQUESTS', text))
    }
    const reply = turns.take(() => this.#withinTime(lease, message, ctx))
    this.#note(reply)
    if (key !== undefined) {
      byKey.set(key, reply)
      void reply.catch(() => {}).finally(() => byKey.delete(key))
    }
    return reply
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
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

  /** One that takes too long holds up those after it no longer. What it comes to is recorded all the same. */
  async #withinTime(lease: ClientLease, message: UpstreamMessage, ctx: Context): Promise<Reply> {
    const { handlerTimeoutSeconds } = this.#options
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), handlerTimeoutSeconds * 1000).unref()
    const timedOut = new Promise<never>((_, reject) => {
      late.signal.addEventListener('abort', () => {
        const text = `The handler has taken more than ${handlerTimeoutSeconds} s.`
        reject(new CometException('COMET_OUTCOME_IS_UNKNOWN', text))
      })
    })
    const reply = this.#attempt(lease, message, { ctx, signal: late.signal })
    // Who is late tells nobody any more.
    reply.catch(() => {})
    try {
      return await Promise.race([reply, timedOut])
    } finally {
      clearTimeout(timer)
    }
  }

  async #attempt(
    lease: ClientLease,
    { name, contents, key }: UpstreamMessage,
    request: Omit<Sent, 'client'>,
  ): Promise<Reply> {
    const run = await this.handlers.prepare(name, contents)
    if (lease.ending) throw lease.ending
    if (key === undefined) return this.#run(run, lease, request)
    const { publicToken, generation } = lease.client
    const claimed: ClaimedKey = { publicToken, generation, key }
    const outcome = await this.#claims.claim(claimed)
    if (typeof outcome === 'string' || 'reply' in outcome) return replyOf(outcome, lease)
    const reply = await this.#run(run, lease, request)
    await this.#claims.settle(claimed, outcome.run, reply).catch((error: unknown) => {
      this.#events.emit('error', error)
    })
    return reply
  }

  async #run(run: Run, lease: ClientLease, request: Omit<Sent, 'client'>): Promise<Reply> {
    try {
      const reply = await repliedBy(async () => run({ ...request, client: lease.client }))
      return checkedReply(reply, this.#options.maxMessageBytes)
    } catch (error) {
      this.#events.emit('error', error)
      return FAILED
    }
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
