import type { Interruption, ProviderStorage } from 'koa-comet/providers/contract'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
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
  ProviderSupports,
  RemovedClient,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** What the providers of one store share beside it, and what is wrong with it at present. */
export class StoreLink {
  trouble: 'requests are lost' | 'replies are lost' | 'the disk is full' | undefined
  readonly opened = new Set<DurableProvider>()
  /** How often the first of its providers was opened. */
  lives = 0
  /** Which keys were stored, where that is not done with their messages. */
  readonly keys = new Map<string, Outcome>()
  /** Whom the store removed while nobody had it open, where it does that. */
  readonly swept: RemovedClient[] = []

  get isCut(): boolean {
    return this.trouble === 'requests are lost' || this.trouble === 'replies are lost'
  }

  interruption(name: NonNullable<StoreLink['trouble']>): Interruption {
    const cutsOff = name !== 'the disk is full'
    return {
      name,
      cutsOff,
      begin: () => {
        this.trouble = name
        if (cutsOff) for (const provider of this.opened) provider.cutOff()
      },
      end: () => {
        this.trouble = undefined
        if (cutsOff) for (const provider of this.opened) provider.back()
      },
    }
  }
}

/**
 * A node of a store that outlives its nodes, as if in another process: each call travels there for a turn of the event
 * loop, and its answer for another, so that a crash or a failure can come at each point.
 */
export class DurableProvider extends ProviderWrapper {
  override readonly supports: ProviderSupports = { processes: 'many', durable: true, followDelayMs: 0 }
  protected readonly link: StoreLink
  #isDead = false
  #held: Entry[] = []
  #openings = 0

  constructor(inner: ICometStateProvider, link: StoreLink) {
    super(inner)
    this.link = link
  }

  /** Its process dies. */
  async die(): Promise<void> {
    this.#isDead = true
    this.link.opened.delete(this)
    await this.inner.close()
  }

  cutOff(): void {
    this.listener?.unavailable(new Error(this.link.trouble))
  }

  back(): void {
    const held = this.#held.splice(0)
    if (held.length > 0) super.feed(held)
    this.listener?.available()
  }

  override async open(
    ...[name, listener, retention]: Parameters<ICometStateProvider['open']>
  ): Promise<void> {
    this.#openings += 1
    const opening = this.#openings
    await this.ask(async () => {
      if (opening !== this.#openings) throw new Error('It was closed meanwhile.')
      if (this.link.opened.size === 0) this.link.lives += 1
      this.link.opened.add(this)
      await super.open(name, listener, retention)
    })
  }

  override async close(): Promise<void> {
    this.#openings += 1
    this.#held = []
    this.link.opened.delete(this)
    await super.close()
  }

  override catchUp(): Promise<void> {
    return this.ask(() => super.catchUp())
  }

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.write(() => super.append(operations))
  }

  override getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.ask(() => super.getClient(privateTokenHash))
  }

  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.write(() => super.renewLeases(renewals))
  }

  override removeExpired(): Promise<RemovedClient[]> {
    return this.write(() => super.removeExpired())
  }

  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.write(() => super.claim(claims))
  }

  override settle(replies: readonly ClaimReply[]): Promise<void> {
    return this.write(() => super.settle(replies))
  }

  protected override feed(entries: readonly Entry[]): void {
    if (this.link.isCut) this.#held.push(...entries)
    else super.feed(entries)
  }

  /** Takes a turn; nothing comes after it in a process that has died meanwhile. */
  protected travel(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        if (!this.#isDead) resolve()
      })
    })
  }

  protected async ask<T>(work: () => Promise<T>): Promise<T> {
    await this.travel()
    if (this.link.trouble === 'requests are lost') throw new Error('The request was lost.')
    const answer = await work()
    await this.travel()
    if (this.link.trouble === 'replies are lost') throw new Error('The reply was lost.')
    return answer
  }

  protected write<T>(work: () => Promise<T>): Promise<T> {
    return this.ask(() => {
      if (this.link.trouble === 'the disk is full') throw new Error('The disk is full.')
      return work()
    })
  }
}

export type DurableClass = new (inner: ICometStateProvider, link: StoreLink) => DurableProvider

/** A fresh store of this kind. */
export function createDurableStorage(
  Provider: DurableClass = DurableProvider,
  sweepsWhileClosed = false,
): ProviderStorage {
  let nowMs = 0
  const storage = new InProcStorage(() => nowMs)
  const link = new StoreLink()
  return {
    createProvider: () => new Provider(new InProcCometStateProvider({ storage }), link),
    advance(seconds) {
      for (let second = 0; second < seconds; second += 1) {
        nowMs += 1000
        if (sweepsWhileClosed && link.opened.size === 0) {
          link.swept.push(...storage.channel('contract').removeExpired())
        }
      }
    },
    faults: {
      crash: (provider) => (provider instanceof DurableProvider ? provider.die() : undefined),
      interruptions: [
        link.interruption('requests are lost'),
        link.interruption('replies are lost'),
        link.interruption('the disk is full'),
      ],
    },
    dispose: () => undefined,
  }
}
