import type { ProviderListener, Retention } from '../../lib/comet-state-provider.ts'
import { LifeIsOver } from './arrivals.ts'
import { ChannelCalls, type Position } from './channel-calls.ts'
import { ChannelKeys } from './channel-keys.ts'
import { isPassing, type RedisClientSource } from './connection.ts'
import { EntryFeed } from './entry-feed.ts'
import { Link } from './link.ts'
import type { CompleteOptions } from './options.ts'
import { type RedisServerReport, readServerReport, warnOf } from './server-report.ts'
import { explained, whereOf } from './store-errors.ts'
import { StoredChannel } from './stored-channel.ts'
import { StreamReader } from './stream-reader.ts'
import { retried, within } from './time-limit.ts'

/** One that is cut off says so before a call is rejected: it has to miss one answer, and then to connect in vain. */
const ANSWER_SHARE = 0.4

/** A channel while it is open: two connections, one that asks and one that follows. */
export class OpenChannel {
  readonly stored: StoredChannel
  readonly #asking: Link
  readonly #following: Link
  readonly #calls: ChannelCalls
  readonly #feed: EntryFeed
  readonly #timeoutMs: number
  readonly #where: string
  #catchingUp: Promise<void> | undefined

  constructor(
    source: RedisClientSource,
    name: string,
    listener: ProviderListener,
    retention: Retention,
    { prefix, timeoutSeconds, now }: CompleteOptions,
  ) {
    const options = typeof source === 'function' ? {} : source.options
    const { keyPrefix = '' } = (options ?? {}) as { readonly keyPrefix?: string }
    const keys = new ChannelKeys(String(keyPrefix), prefix, name)
    const context = {
      keys,
      retention,
      timeoutMs: timeoutSeconds * 1000,
      now,
      seen: () => this.#feed.seen(),
    }
    const answerMs = Math.ceil(context.timeoutMs * ANSWER_SHARE)
    this.#where = whereOf(source)
    this.#timeoutMs = context.timeoutMs
    this.#asking = new Link(source)
    this.#following = new Link(source)
    this.#calls = new ChannelCalls(this.#asking, context)
    this.stored = new StoredChannel(this.#calls, (position, endsAt) => this.#confirm(position, endsAt))
    const following = new ChannelCalls(this.#following, context)
    const stream = new StreamReader(keys.log, answerMs)
    this.#feed = new EntryFeed(this.#following, following, stream, listener, answerMs, (error) =>
      this.explained(error),
    )
  }

  /** Tells the listener of the window, and of all that comes from then on. */
  start(): Promise<RedisServerReport> {
    const endsAt = performance.now() + this.#timeoutMs
    const retrying = { endsAt: () => endsAt, mayGoWell: isPassing, signal: this.#asking.closed }
    return retried(retrying, () => this.#start(endsAt))
  }

  /** Those who ask in one turn of the event loop share it. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= new Promise(setImmediate).then(() => {
      this.#catchingUp = undefined
      return this.#catchUp()
    })
    return this.#catchingUp
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#asking.close()
    this.#following.close()
    await this.#feed.ended()
  }

  explained(error: unknown): Error {
    return explained(error, this.#where)
  }

  async #start(endsAt: number): Promise<RedisServerReport> {
    const connection = await within(endsAt, this.#asking.connected(endsAt))
    const report = await readServerReport((args) => within(endsAt, connection.send(args)))
    await this.#feed.start()
    warnOf(report, this.#where)
    return report
  }

  async #catchUp(): Promise<void> {
    const endsAt = performance.now() + this.#timeoutMs
    const isOver = (error: unknown): boolean => error instanceof LifeIsOver
    await retried({ endsAt: () => endsAt, mayGoWell: isOver, signal: this.#asking.closed }, async () => {
      await this.#reached(await this.#calls.locate(endsAt), endsAt)
    })
  }

  /** Who is asked and who is followed can be two servers for a time, when one has taken the other's place. */
  async #confirm(position: Position, endsAt: number): Promise<void> {
    if (!this.#feed.follows(position)) await this.#reached(position, endsAt)
  }

  async #reached(position: Position, endsAt: number): Promise<void> {
    try {
      await this.#feed.reached(position, endsAt)
    } catch (error) {
      if (error instanceof LifeIsOver) this.#asking.reopen()
      // One that is on its way there, by a line that carries little, would have to begin the page anew.
      else if (!this.#feed.hasBrought(position, endsAt - this.#timeoutMs)) this.#following.reopen()
      throw error
    }
  }
}
