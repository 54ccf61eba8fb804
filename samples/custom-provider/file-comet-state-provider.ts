import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  CometClient,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderListener,
  RemovedClient,
  Retention,
} from 'koa-comet'
import { channelAt, type SharedChannel, type Step } from './shared-channel.ts'
import { claim, perform, renew, settle, sweep } from './steps.ts'

interface Opened {
  readonly channel: SharedChannel
  readonly listener: ProviderListener
  readonly retention: Retention
}

/** Keeps each channel in one file of a folder, and in memory. One process at a time may use the folder. */
export class FileCometStateProvider implements ICometStateProvider {
  readonly supports = { processes: 'one', durable: true, followDelayMs: 0 } as const
  readonly #folder: string
  readonly #now: () => number
  readonly #shortenAfterBytes: number
  #opened: Opened | undefined

  /**
   * @param folder has to exist: a power cut could take one that was just made
   * @param options.now the store's clock, in milliseconds since 1970. Default: the system's, as it was at the start
   * @param options.shortenAfterBytes a new file is written when so much was added to the present one. Default: 64 MiB
   */
  constructor(folder: string, { now = steadyClock, shortenAfterBytes = 64 * 1024 * 1024 } = {}) {
    this.#folder = resolve(folder)
    this.#now = now
    this.#shortenAfterBytes = shortenAfterBytes
  }

  async open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    const channel = channelAt(join(this.#folder, `${name}.log`))
    const opened = { channel, listener, retention }
    this.#opened = opened
    await channel.do((state, apply) => {
      if (state.epoch !== '') return
      // Above all that a file that was deleted since can have given.
      const position = Date.now() * 1000
      apply({ at: this.#now(), life: { epoch: randomUUID(), head: position, trimmedThrough: position } })
    })
    const isWanted = await channel.do((state) => {
      if (this.#opened !== opened) return false
      state.trim(retention, this.#now())
      listener.reset(state.window)
      channel.listeners.add(listener)
      return true
    })
    if (isWanted) return
    await channel.leave(listener)
    throw new Error('The provider was closed while it opened.')
  }

  async catchUp(): Promise<void> {
    await this.#do(() => undefined)
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.channel.leave(opened.listener)
  }

  async append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.#do((...at) => operations.map((operation) => perform(operation, ...at)))
  }

  async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.#do((state) => {
      const row = state.rows.get(state.publicTokens.get(privateTokenHash) ?? '')
      if (row) return { ...row.record, asOf: state.head }
      return state.stopped.has(privateTokenHash) ? 'stopped' : undefined
    })
  }

  async *getClients(topics: readonly string[] = ['*']): AsyncGenerator<CometClient> {
    yield* await this.#do((state) => state.audience(topics).map(({ record }) => record.client))
  }

  async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.#do((...at) => renewals.map((renewal) => renew(renewal, ...at)))
  }

  async removeExpired(): Promise<RemovedClient[]> {
    await this.#opened?.channel.shorten(this.#shortenAfterBytes)
    return this.#do(sweep)
  }

  async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.#do((...at) => claims.map((asked) => claim(asked, ...at)))
  }

  async settle(replies: readonly ClaimReply[]): Promise<void> {
    await this.#do((...at) => {
      for (const reply of replies) settle(reply, ...at)
    })
  }

  async #do<T>(step: (...args: [...Parameters<Step<T>>, at: number]) => T): Promise<T> {
    if (!this.#opened) throw new Error('The provider is not open.')
    const { channel, retention } = this.#opened
    return channel.do((state, apply) => {
      const at = this.#now()
      state.trim(retention, at)
      return step(state, apply, at)
    })
  }
}

/** Unlike Date.now it is not set back, or forward, while the process runs; unlike performance.now it outlives it. */
function steadyClock(): number {
  return Math.round(performance.timeOrigin + performance.now())
}
