import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import type { FaultKind } from '../support/fault-proxy/fault.ts'
import { FaultProxy } from '../support/fault-proxy/fault-proxy.ts'
import { CampaignChild } from './campaign-child.ts'
import { checkHistory } from './faults-check.ts'
import type { FaultsOrder, FaultsSaid, PublishOrder, Sent } from './faults-child.ts'
import { FaultsPage, type FaultsSite, type PageCounts, type Sabotage } from './faults-page.ts'
import { drawFault } from './faults-plan.ts'
import { Problems } from './problems.ts'

/** Longer than a page needs to find out that what it has open is dead, and pauses then. */
const CATCHING_UP_MS = 120_000

const LOOK_AGAIN_MS = 100

export interface FaultsOptions {
  readonly seed: number
  /**
   * It goes on until handlers were called so often, so many faults have hit, and pages were reloaded so often. If no
   * fault is to hit, none befalls anybody.
   */
  readonly deliveries: number
  readonly faults: number
  readonly reloads: number
  readonly pages: number
  /** How long a page lives at most until something happens to it. */
  readonly longestLifeMs: number
  readonly publish: PublishOrder
  readonly sabotage?: Sabotage
  /** Ends it early. */
  readonly signal?: AbortSignal
  /** Called now and then. */
  readonly progress?: (deliveries: number) => void
}

export interface FaultsReport extends PageCounts {
  readonly problems: Problems
  readonly pages: number
  readonly messages: number
  readonly hits: Readonly<Record<FaultKind, number>>
  readonly totalHits: number
}

/** Pages of a server behind a network that fails at random, each way that it can. */
export async function faultsCampaign(options: FaultsOptions): Promise<FaultsReport> {
  const server = new FaultsServer(options.seed)
  try {
    await server.listens()
    const random = new SeededRandom(options.seed)
    const spared = new Set<string>()
    const proxy = await FaultProxy.open(server.port, (request) => {
      const [, token = ''] = /^authorization: *bearer (.*)\r$/im.exec(request) ?? []
      return options.faults === 0 || spared.has(token) ? undefined : drawFault(random, request)
    })
    try {
      return await new Storm(options, server, proxy, spared).run()
    } finally {
      await proxy.close()
    }
  } finally {
    await server.end()
  }
}

class Storm {
  readonly #options: FaultsOptions
  readonly #server: FaultsServer
  readonly #proxy: FaultProxy
  readonly #pages: readonly FaultsPage[]
  #isOver = false
  readonly #counts: PageCounts = {
    deliveries: 0,
    reloads: 0,
    crashes: 0,
    goodbyes: 0,
    pauses: 0,
    freezes: 0,
    switchesByOption: 0,
    switchesByEvidence: 0,
    failures: 0,
    cameTooLate: 0,
    resetsExpected: 0,
    resetsSeen: 0,
  }

  constructor(options: FaultsOptions, server: FaultsServer, proxy: FaultProxy, spared: Set<string>) {
    const { seed, pages, sabotage = {} } = options
    this.#options = options
    this.#server = server
    this.#proxy = proxy
    const site: FaultsSite = {
      url: `${proxy.origin}/comet`,
      counts: this.#counts,
      spared,
      sabotage,
      remove: (privateToken) => server.tell({ remove: privateToken }),
    }
    this.#pages = Array.from(
      { length: pages },
      (_, index) => new FaultsPage(site, new SeededRandom(seed + 1 + index)),
    )
  }

  async run(): Promise<FaultsReport> {
    try {
      this.#server.tell({ publish: this.#options.publish })
      const living = this.#pages.map((page, index) => this.#live(page, index))
      while (this.#goesOn()) {
        this.#server.tellPages(this.#pages.flatMap(({ publicToken }) => publicToken ?? []))
        this.#options.progress?.(this.#counts.deliveries)
        await pause(LOOK_AGAIN_MS)
      }
      this.#isOver = true
      await Promise.all(living)
      await this.#calmDown()
    } finally {
      for (const page of this.#pages) page.close()
    }
    return this.#report()
  }

  #goesOn(): boolean {
    const { deliveries, faults, reloads, signal } = this.#options
    const counts = this.#counts
    const isEnough =
      counts.deliveries >= deliveries &&
      this.#proxy.totalHits >= faults &&
      counts.reloads + counts.crashes + counts.goodbyes >= reloads
    return !isEnough && !signal?.aborted
  }

  async #live(page: FaultsPage, index: number): Promise<void> {
    const random = new SeededRandom(this.#options.seed - 1 - index)
    while (!this.#isOver) {
      await pause(random.below(this.#options.longestLifeMs))
      if (!this.#isOver) await page.act()
    }
  }

  /** No fault befalls what is asked from now on. Ends the wait after a time: then the check finds what is missing. */
  async #calmDown(): Promise<void> {
    this.#proxy.choose = () => undefined
    await this.#server.stop()
    for (const page of this.#pages) page.goOnline()
    const giveUpAt = performance.now() + CATCHING_UP_MS
    const hasAll = ({ dealtWith, publicToken }: FaultsPage): boolean =>
      dealtWith !== undefined && dealtWith >= this.#server.lastAddressedTo(publicToken!)
    while (!this.#pages.every(hasAll) && performance.now() < giveUpAt) await pause(LOOK_AGAIN_MS)
  }

  #report(): FaultsReport {
    const problems = new Problems()
    problems.add(...this.#server.troubles.map((text) => ({ kind: 'failed', text }) as const))
    for (const page of this.#pages) {
      problems.add(...page.problems)
      for (const history of page.record.histories())
        problems.add(...checkHistory(history, this.#server.addressedTo(history.who)))
    }
    const { resetsExpected, resetsSeen } = this.#counts
    if (resetsSeen !== resetsExpected)
      problems.add({ kind: 'reset', text: `${resetsExpected} were expected, ${resetsSeen} seen` })
    return {
      problems,
      pages: this.#pages.length,
      messages: this.#server.messages,
      ...this.#counts,
      totalHits: this.#proxy.totalHits,
      hits: this.#proxy.hits,
    }
  }
}

/** The server's process, and what it has said. */
class FaultsServer {
  port = 0
  readonly troubles: string[] = []
  readonly #child = new CampaignChild<FaultsSaid>('faults-child')
  /** In the order of their ids. */
  readonly #sent: Sent[] = []
  readonly #generations = new Map<string, number>()
  #toldPages = ''
  #isStopped = false

  constructor(seed: number) {
    this.#child.listen((said) => {
      if ('port' in said) this.port = said.port
      else if ('client' in said) this.#generations.set(said.client, said.generation)
      else if ('sent' in said) this.#sent.push(...said.sent)
      else if ('stopped' in said) this.#isStopped = true
      else this.troubles.push(said.trouble)
    })
    this.tell({ seed })
  }

  get messages(): number {
    return this.#sent.length
  }

  listens(): Promise<void> {
    return this.#child.until(() => this.port > 0)
  }

  tell(order: FaultsOrder): void {
    this.#child.tell(order)
  }

  /** Those that messages may be addressed to. */
  tellPages(pages: readonly string[]): void {
    const told = pages.join()
    if (told !== this.#toldPages) this.tell({ pages })
    this.#toldPages = told
  }

  async stop(): Promise<void> {
    this.tell({ stop: true })
    await this.#child.until(() => this.#isStopped)
  }

  async end(): Promise<void> {
    await this.#child.kill()
  }

  addressedTo(publicToken: string): number[] {
    return this.#sentTo(publicToken).map(([id]) => id)
  }

  lastAddressedTo(publicToken: string): number {
    return this.#sent.findLast((sent) => this.#isFor(publicToken, sent))?.[0] ?? 0
  }

  #sentTo(publicToken: string): Sent[] {
    return this.#sent.filter((sent) => this.#isFor(publicToken, sent))
  }

  #isFor(publicToken: string, [id, , to]: Sent): boolean {
    const generation = this.#generations.get(publicToken) ?? Number.POSITIVE_INFINITY
    return id > generation && (to === undefined || to.includes(publicToken))
  }
}
