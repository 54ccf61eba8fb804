import { randomBytes } from 'node:crypto'
import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  Entry,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderListener,
  ProviderSupports,
  RemovedClient,
  RetainedLog,
  Retention,
} from '../../lib/comet-state-provider.ts'
import { type Faultable, type FaultOptions, Faults } from './faults.ts'

/**
 * A provider around another one, whose feed and failures the test decides. Around an in-process provider it makes a
 * node that lags: give two of them one `InProcStorage`, and hold the feed of one.
 *
 * Untouched it adds nothing: it passes the contract's suite.
 */
export class GatedProvider implements ICometStateProvider {
  readonly supports: ProviderSupports
  readonly #inner: ICometStateProvider
  readonly #faults = new Faults()
  #listener: ProviderListener | undefined
  #holding = false
  #held: Entry[] = []
  /** The highest id that the inner provider has told of. */
  #head = 0
  #epoch = ''
  /** The new life that `loseLog` began: it gave all ids above `after`. */
  #life: { readonly epoch: string; readonly after: number } | undefined

  /** @param supports what to say instead of the inner provider's own */
  constructor(inner: ICometStateProvider, supports: Partial<ProviderSupports> = {}) {
    this.#inner = inner
    this.supports = { ...inner.supports, ...supports }
  }

  /** How many entries are held back. */
  get held(): number {
    return this.#held.length
  }

  /** From now on the listener is told of no entry but by `release` and `catchUp`. Appends go on. */
  hold(): void {
    this.#holding = true
  }

  /** Tells the listener of the `count` oldest held entries and holds on; without `count` of all, and holds no more. */
  release(count?: number): void {
    if (count === undefined) this.#holding = false
    const entries = this.#held.splice(0, count ?? this.#held.length)
    if (entries.length > 0) this.#listener?.entries(entries)
  }

  /** The next such call rejects. Default: once, before it reaches the store. */
  failNext(call: Faultable, options: FaultOptions & { error?: Error; times?: number } = {}): void {
    this.#faults.fail(call, options)
  }

  /** The next such call hangs until the returned function is called. Default: before it reaches the store. */
  hangNext(call: Faultable, options: FaultOptions = {}): () => void {
    return this.#faults.hang(call, options)
  }

  /**
   * The log begins a new life with a new epoch, empty, ids above all so far; clients stay. Held entries are lost.
   * Gates over one store that are to lose it together are given the same epoch in the same turn; a gate that opens
   * later knows nothing of it.
   */
  loseLog(epoch: string = randomBytes(12).toString('base64url')): void {
    this.#held = []
    this.#life = { epoch, after: this.#head }
    this.#listener?.reset({ epoch, entries: [], head: this.#head, trimmedThrough: this.#head })
  }

  /** Tells the listener that the store is out of reach. Until `comeBack` all calls but `close` reject. */
  goAway(error: Error = new Error('the store is out of reach')): void {
    this.#faults.away = error
    this.#listener?.unavailable(error)
  }

  comeBack(): void {
    this.#faults.away = undefined
    this.#listener?.available()
  }

  open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    const gate: ProviderListener = {
      reset: (log) => this.#reset(log),
      entries: (entries) => this.#entries(entries),
      unavailable: (error) => listener.unavailable(error),
      available: () => listener.available(),
    }
    this.#listener = listener
    return this.#faults.around('open', () => this.#inner.open(name, gate, retention))
  }

  /** Tells of all that is held, and goes on holding. */
  catchUp(): Promise<void> {
    return this.#faults.around('catchUp', async () => {
      await this.#inner.catchUp()
      this.release(this.#held.length)
    })
  }

  async close(): Promise<void> {
    this.#listener = undefined
    await this.#inner.close()
  }

  append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.#faults.around('append', async () => {
      const outcomes = await this.#inner.append(operations)
      return outcomes.map((outcome) => this.#outcomeOf(outcome))
    })
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.#faults.around('getClient', async () => {
      const record = await this.#inner.getClient(privateTokenHash)
      return typeof record === 'object' ? { ...record, client: this.#clientOf(record.client) } : record
    })
  }

  async *getClients(topics?: readonly string[]): AsyncGenerator<CometClient> {
    for await (const client of this.#inner.getClients(topics)) yield this.#clientOf(client)
  }

  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.#faults.around('renewLeases', () => this.#inner.renewLeases(renewals))
  }

  removeExpired(): Promise<RemovedClient[]> {
    return this.#faults.around('removeExpired', async () => {
      const removed = await this.#inner.removeExpired()
      return removed.map(({ client, reason }) => ({ client: this.#clientOf(client), reason }))
    })
  }

  claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.#faults.around('claim', () => this.#inner.claim(claims))
  }

  settle(replies: readonly ClaimReply[]): Promise<void> {
    return this.#faults.around('settle', () => this.#inner.settle(replies))
  }

  #reset(log: RetainedLog): void {
    this.#epoch = log.epoch
    this.#head = log.head
    this.#life = undefined
    this.#held = []
    this.#listener?.reset(log)
  }

  #entries(entries: readonly Entry[]): void {
    this.#head = entries.at(-1)?.id ?? this.#head
    if (this.#holding) this.#held.push(...entries)
    else this.#listener?.entries(entries)
  }

  #epochOf(epoch: string, id: number): string {
    return this.#life && epoch === this.#epoch && id > this.#life.after ? this.#life.epoch : epoch
  }

  #outcomeOf(outcome: Outcome): Outcome {
    if ('refused' in outcome) return outcome
    const { client, stopped } = outcome
    return {
      ...outcome,
      epoch: this.#epochOf(outcome.epoch, outcome.id),
      ...(client && { client: this.#clientOf(client) }),
      ...(stopped && { stopped: stopped.map((each) => this.#clientOf(each)) }),
    }
  }

  #clientOf(client: CometClient): CometClient {
    const { epoch, messageId } = client.start
    return { ...client, start: { epoch: this.#epochOf(epoch, messageId), messageId } }
  }
}
