import { setTimeout as pause } from 'node:timers/promises'
import { CometChannel } from 'koa-comet/client'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { FaultsRecord } from './faults-record.ts'
import { FaultsTab } from './faults-tab.ts'
import { MESSAGE_NAME, numberOf } from './numbered.ts'
import type { Problem } from './problems.ts'

type TransportName = CometChannel['transport']

const TRANSPORTS: readonly (readonly TransportName[])[] = [
  ['streaming'],
  ['long-polling'],
  ['streaming', 'long-polling'],
  ['streaming', 'long-polling'],
  ['long-polling', 'streaming'],
]

const LONGEST_PAUSE_MS = 1500

/** What happens to pages, counted. */
export interface PageCounts {
  deliveries: number
  /** Reloads of pages that wrote down where they were, of others, and of those that said goodbye. */
  reloads: number
  crashes: number
  goodbyes: number
  pauses: number
  freezes: number
  /** Another transport: asked for by the app at a reload, or found out by the client. */
  switchesByOption: number
  switchesByEvidence: number
  /** Failures that the client goes on after. */
  failures: number
  /** Pages that said goodbye, and were so slow to come back that the server had removed them: each sees a reset. */
  cameTooLate: number
  resetsExpected: number
  resetsSeen: number
}

/** What makes a page break its promises, to see that it is noticed. */
export interface Sabotage {
  /** Stands in for what the page stores. */
  store?(value: string): string
  /** How often the page's handler gets a message. */
  times?(): number
  readonly fetch?: typeof fetch
}

/** Where pages live. */
export interface FaultsSite {
  readonly url: string
  readonly counts: PageCounts
  /** Private tokens that no fault is to befall for now. */
  readonly spared: Set<string>
  readonly sabotage: Sabotage
  /** Has the server forget the client with this private token. */
  remove(privateToken: string): void
}

/** A page that is reloaded, stopped and frozen at random, and notes what its handlers are given. */
export class FaultsPage {
  readonly record = new FaultsRecord()
  readonly problems: Problem[] = []
  readonly #site: FaultsSite
  readonly #random: SeededRandom
  #tab: FaultsTab
  #channel: CometChannel
  #awaitsReset = false
  /** Whom the page was when it said goodbye. Undefined: it has come back since. */
  #left: string | undefined
  #transport: TransportName | undefined

  constructor(site: FaultsSite, random: SeededRandom) {
    this.#site = site
    this.#random = random
    this.#tab = this.#newTab()
    this.#channel = this.#open()
  }

  get publicToken(): string | undefined {
    return this.#channel.publicToken
  }

  /** Up to where the page has dealt with all. Undefined: it is about to be another client. */
  get dealtWith(): number | undefined {
    const { cursor } = this.#channel
    return cursor === undefined || this.#awaitsReset ? undefined : Number(cursor.split(':')[1])
  }

  /** Does one of the things that pages do. */
  async act(): Promise<void> {
    const { state, privateToken: token } = this.#channel
    // A page that has had no answer yet asks for the client; asked late, it would take it from the page after it.
    if (state !== 'connected' || token === undefined || this.#awaitsReset) return
    const percent = this.#random.below(100)
    if (percent < 30) this.#reload()
    else if (percent < 50) this.#crash()
    else if (percent < 65) this.#sayGoodbye(token)
    else if (percent < 80) await this.#pause()
    else if (percent < 90) await this.#freeze()
    else if (percent < 99) this.goOnline()
    else this.#beRemoved(token)
  }

  /** There is a network again: what is open is given up, and asked for anew. */
  goOnline(): void {
    this.#tab.fire('online')
  }

  close(): void {
    this.#channel.unsubscribe()
  }

  #reload(): void {
    this.#site.counts.reloads += 1
    this.#channel.unsubscribe()
    this.#replace(this.#tab.reloaded(), true)
  }

  /** The page is gone before it can write down what it dealt with last. */
  #crash(): void {
    this.#site.counts.crashes += 1
    const tab = this.#tab.reloaded()
    this.#channel.unsubscribe()
    this.#replace(tab, false)
  }

  /** As browsers do it. The server gives the page little time to come back: it is to have it. */
  #sayGoodbye(token: string): void {
    this.#site.counts.goodbyes += 1
    this.#left = this.publicToken
    this.#site.spared.add(token)
    this.#tab.fire('pagehide')
    const tab = this.#tab.reloaded()
    this.#channel.unsubscribe()
    this.#replace(tab, true)
  }

  async #pause(): Promise<void> {
    this.#site.counts.pauses += 1
    this.#channel.unsubscribe()
    await pause(this.#random.below(LONGEST_PAUSE_MS))
    this.#tab.within(() => this.#channel.subscribe())
  }

  async #freeze(): Promise<void> {
    this.#site.counts.freezes += 1
    this.#tab.fire('freeze')
    await pause(this.#random.below(LONGEST_PAUSE_MS))
    this.#tab.fire('resume')
  }

  #beRemoved(token: string): void {
    this.#site.counts.resetsExpected += 1
    this.#awaitsReset = true
    this.record.remove(this.publicToken!)
    this.#site.remove(token)
  }

  /** It had said goodbye, and had no answer since: a machine with much else to do lets the server's few seconds pass. */
  #comeTooLate(): void {
    if (this.#left === undefined) return
    this.#site.counts.cameTooLate += 1
    this.#site.counts.resetsExpected += 1
    this.#awaitsReset = true
    this.record.remove(this.#left)
    this.#left = undefined
  }

  #replace(tab: FaultsTab, isClean: boolean): void {
    if (this.#random.chance(50)) tab.forgetEvidence()
    this.#tab = tab
    this.record.beginLife(isClean)
    this.#channel = this.#open()
    if (this.#hasSwitched()) this.#site.counts.switchesByOption += 1
  }

  #hasSwitched(): boolean {
    const before = this.#transport
    this.#transport = this.#channel.transport
    return before !== undefined && before !== this.#transport
  }

  #newTab(): FaultsTab {
    return new FaultsTab(this.#site.sabotage.store)
  }

  #open(): CometChannel {
    const { url, counts, spared, sabotage } = this.#site
    const channel = new CometChannel(url, null, 'page', {
      storage: this.#tab,
      transports: this.#random.pick(TRANSPORTS),
      fetch: sabotage.fetch,
    })
    channel.on(MESSAGE_NAME, (contents, { mid }) => {
      for (let times = sabotage.times?.() ?? 1; times > 0; times -= 1) this.#take(mid, contents)
    })
    channel.addEventListener('statechange', ({ detail }) => {
      if (detail.state !== 'connected') return
      spared.delete(channel.privateToken!)
      if (channel.publicToken === this.#left) this.#left = undefined
    })
    channel.addEventListener('reset', ({ detail }) => {
      counts.resetsSeen += 1
      this.#comeTooLate()
      if (!this.#awaitsReset || detail.reason !== 'forgotten')
        this.problems.push({ kind: 'reset', text: `${channel.publicToken} ${JSON.stringify(detail)}` })
      this.#awaitsReset = false
    })
    channel.addEventListener('error', ({ detail }) => {
      counts.failures += 1
      if (!detail.willRetry) this.problems.push({ kind: 'failed', text: String(detail) })
    })
    this.#tab.within(() => channel.subscribe())
    return channel
  }

  #take(id: number, contents: unknown): void {
    this.#site.counts.deliveries += 1
    if (this.#hasSwitched()) this.#site.counts.switchesByEvidence += 1
    if (Number.isNaN(numberOf(JSON.stringify(contents))))
      this.problems.push({ kind: 'damaged', text: `${id} has other contents than were sent` })
    this.record.take(this.publicToken!, id)
  }
}
