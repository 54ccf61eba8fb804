import type { ChannelEmitter } from './channel-events.ts'
import { CometException, channelIsClosed } from './comet-exception.ts'
import {
  type Done,
  type Entry,
  type ICometStateProvider,
  type Operation,
  type ProviderListener,
  type RetainedLog,
  type SendOperation,
  SWEEP_PERIOD_SECONDS,
} from './comet-state-provider.ts'
import { withDeadline } from './deadline.ts'
import { debugChannel } from './debug.ts'
import { IdleSweep } from './idle-sweep.ts'
import { MessageLog } from './message-log.ts'
import type { CompleteOptions } from './options.ts'
import { messageOnly, messageOrNotice } from './presence.ts'
import { ProviderLink } from './provider-link.ts'
import type { ClientLease } from './subscribe/client-lease.ts'
import { LateAnswers } from './subscribe/late-answers.ts'
import { Leases, type LeasesHost } from './subscribe/leases.ts'
import { Probes } from './subscribe/probes.ts'
import { WaitList, type WaitListHost } from './subscribe/wait-list.ts'
import { Ticker } from './ticker.ts'
import { RequestRates } from './upstream/request-rates.ts'
import { Upstream } from './upstream/upstream.ts'
import { WriteQueue } from './write-queue.ts'

/**
 * One node of a channel: applies the provider's entries to the log, the leases and the waiting requests, in this
 * order, and does what has to be done from time to time.
 */
export class ChannelNode implements ProviderListener, LeasesHost, WaitListHost {
  readonly provider: ICometStateProvider
  readonly events: ChannelEmitter
  readonly log: MessageLog
  readonly leases: Leases
  readonly waitList: WaitList
  readonly lateAnswers: LateAnswers
  readonly probes = new Probes()
  readonly queue: WriteQueue
  readonly upstream: Upstream
  readonly rates: RequestRates
  readonly timeoutSeconds: number
  readonly #options: CompleteOptions
  readonly #link: ProviderLink
  readonly #sweep: IdleSweep
  #isOpen = false
  #isShut = false
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #trouble: CometException | undefined
  readonly #ticker = new Ticker((isLate) => this.#tick(isLate))
  #ticksToSweep = SWEEP_PERIOD_SECONDS

  constructor(provider: ICometStateProvider, options: CompleteOptions, events: ChannelEmitter) {
    this.provider = provider
    this.events = events
    this.#options = options
    this.timeoutSeconds = options.providerTimeoutSeconds
    this.#link = new ProviderLink(provider, options.providerTimeoutSeconds)
    this.log = new MessageLog(options.retention, undefined, options.presence ? messageOrNotice : messageOnly)
    this.leases = new Leases(this)
    this.waitList = new WaitList(this)
    this.lateAnswers = new LateAnswers(options.maxHeldRequests)
    this.#sweep = new IdleSweep(provider, options.providerTimeoutSeconds, events)
    this.queue = new WriteQueue(provider, options, options.providerTimeoutSeconds)
    this.upstream = new Upstream(provider, options, events)
    this.rates = new RequestRates(options.maxRequestsPerSecond)
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isShut
  }

  /** Whether requests of pages are sent elsewhere. */
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** What a request is told that comes while this node closes. */
  get closed(): CometException {
    return channelIsClosed(this.waitList.closesInSeconds)
  }

  /** Why this node cannot vouch for its log at present, if so. */
  get trouble(): CometException | undefined {
    return this.#trouble
  }

  /** Opens at the first call. One that failed is tried again by the next. */
  async open(): Promise<void> {
    if (this.#isShut) throw this.closed
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    await this.#opening
    if (this.#isShut) throw this.closed
  }

  /** Throws unless it is open at this moment. */
  checkOpen(): void {
    if (this.#isShut) throw this.closed
    if (this.isOpen) return
    const text = 'This channel is not open yet: await channel.open() first.'
    throw new CometException('COMET_CHANNEL_IS_NOT_OPEN', text)
  }

  /** Whether this node can serve a page now. */
  get isReady(): boolean {
    return this.isOpen && !this.isClosing && !this.#trouble
  }

  /** Opens, and rejects if this node cannot serve a page now. */
  async ready(): Promise<void> {
    await this.open()
    if (this.isClosing) throw this.closed
    if (this.#trouble) throw this.#trouble
  }

  /** Opens if need be, and does as {@link WriteQueue.enqueue} says. */
  append<T>(operation: Operation, told: (done: Done) => T): Promise<T> {
    // Of a channel that is open, thousands may be asked in a turn: nothing is awaited without need.
    if (this.isOpen) return this.queue.enqueue(operation, told)
    return this.open().then(() => this.queue.enqueue(operation, told))
  }

  /** The same, and waits until this node has applied it: what it reads from then on is as of it. */
  async appendAndApply<T>(operation: Operation, told: (done: Done) => T): Promise<T> {
    const { id, value } = await this.append(operation, (done) => ({ id: done.id, value: told(done) }))
    if (this.log.head < id) await this.catchUp()
    return value
  }

  /** Sends within a transaction of the app. Throws at once what can be refused; resolves with the id. */
  sendWithin(transaction: unknown, operation: SendOperation): Promise<number> {
    this.checkOpen()
    if (!this.provider.sendWithin) {
      throw new TypeError(
        'The state provider of this channel has no transactions: supports.transactions says so.',
      )
    }
    const sent = this.provider.sendWithin(transaction, operation).then(({ id }) => id)
    // A transaction may be rolled back after all, and whoever did that need not wait for this to be said.
    sent.catch(() => {})
    return sent
  }

  catchUp(): Promise<void> {
    return withDeadline(this.timeoutSeconds, 'catchUp', () => this.provider.catchUp())
  }

  /**
   * Sends pages elsewhere over this time, finishes what is queued, and leaves nothing behind. A second call returns the
   * first's promise.
   */
  close(overSeconds: number): Promise<void> {
    this.#closing ??= this.#close(overSeconds)
    return this.#closing
  }

  reset(log: RetainedLog): void {
    const { epoch: previous } = this.log
    const { epoch } = log
    debugChannel('log of epoch %s begins after %d', epoch, log.trimmedThrough)
    this.waitList.wakeAll()
    this.leases.clear()
    this.log.reset(log)
    this.#trouble = undefined
    if (previous !== '' && previous !== epoch) this.events.emit('reset', { epoch, previous })
  }

  entries(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const message = this.log.apply(entry)
      this.leases.apply(entry)
      if (message) this.waitList.wake(message)
    }
  }

  unavailable(error: unknown): void {
    const text = 'This node has lost touch with the store of the channel. Try again later.'
    this.#trouble = new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text, { cause: error })
    this.events.emit('error', this.#trouble)
  }

  available(): void {
    this.#trouble = undefined
  }

  ended(lease: ClientLease): void {
    lease.wake(this.log.head)
  }

  takenElsewhere(lease: ClientLease): void {
    lease.held?.replace(false)
  }

  failed(error: unknown): void {
    this.events.emit('error', error)
  }

  async #open(): Promise<void> {
    const { name, retention } = this.#options
    await this.#link.open(name, this, retention)
    this.#isOpen = true
    // First of all the time since the last sweep is counted: leases that are renewed from now on need no more of it.
    this.#sweep.start()
    this.#ticker.start()
  }

  async #close(overSeconds: number): Promise<void> {
    this.#answerPassers()
    const drained = this.waitList.close(overSeconds)
    // Handlers that run still may send.
    const handled = this.upstream.close(this.closed)
    // Who is still held goes on getting messages, and the leases have to be renewed.
    if (this.waitList.size > 0) await drained
    await handled
    this.#isShut = true
    this.#answerPassers()
    await this.#opening?.catch(() => {})
    this.#ticker.stop()
    await this.queue.drained()
    await this.leases.drained()
    await this.#sweep.ended()
    if (this.#opening) await this.#link.close()
    debugChannel('closed')
  }

  /** Those who are held, but not for a client's messages. */
  #answerPassers(): void {
    this.lateAnswers.close()
    this.probes.close()
  }

  #tick(isLate: boolean): void {
    this.log.trim()
    this.leases.tick()
    this.#ticksToSweep -= 1
    // Who has been waiting to be served while this process stood still comes first.
    if (this.#ticksToSweep > 0 || isLate) return
    this.#ticksToSweep = SWEEP_PERIOD_SECONDS
    this.#sweep.start()
  }
}
