import { setTimeout as pause } from 'node:timers/promises'
import { CometChannel } from 'koa-comet/client'
import type { RegisterAnswer } from '../../lib/wire.ts'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { PageGroups } from './cluster-groups.ts'
import { IDLE_HEADER, ROOM_HEADER, ROOMS, USER_HEADER, USERS } from './cluster-orders.ts'
import { PageFacts } from './cluster-page-facts.ts'
import { PageWork } from './cluster-work.ts'
import { FaultsTab } from './faults-tab.ts'
import { machineMs } from './machine-clock.ts'

const TRANSPORTS = [['streaming'], ['long-polling'], ['streaming', 'long-polling']] as const

export interface ClusterPageOptions {
  /** Of several pages, each its own. */
  readonly number: number
  readonly url: string
  readonly random: SeededRandom
  readonly idleSeconds: number
  /** How long it waits at most until it sends again. */
  readonly longestPauseMs: number
}

/** A page of the browser client that sends, joins, leaves, asks who is there, and is loaded anew. */
export class ClusterPage {
  readonly facts = new PageFacts()
  readonly #options: ClusterPageOptions
  readonly #user: string
  readonly #room: string
  readonly #groups = new PageGroups(this.facts.memberships)
  /** Requests under way that wait for their answers. */
  readonly #asking = new Set<Promise<void>>()
  #tab = new FaultsTab()
  #life = new AbortController()
  #lives = 0
  /** Whom the page was connected as last, and before it was that. */
  #current: string | undefined
  #former: string | undefined
  #channel: CometChannel
  #work: PageWork
  #isSilent = false

  constructor(options: ClusterPageOptions) {
    this.#options = options
    this.#user = options.random.pick(USERS)
    this.#room = options.random.pick(ROOMS)
    this.#channel = this.#open()
    this.#work = this.#newWork()
  }

  get name(): string {
    return `page-${this.#options.number}`
  }

  get publicToken(): string | undefined {
    return this.#channel.publicToken
  }

  get isConnected(): boolean {
    return this.#channel.state === 'connected'
  }

  /** Up to where the page has dealt with all. */
  get position(): number {
    return Number(this.#channel.cursor?.split(':')[1] ?? 0)
  }

  /** What the page surely is a member of; undefined if it is not sure. */
  get groups(): readonly string[] | undefined {
    return this.#groups.surely
  }

  /** Sends one thing after another, until it ends or is to be silent. */
  async work(): Promise<void> {
    const { random, longestPauseMs } = this.#options
    while (!this.#isSilent) {
      this.#track('send', this.#work.send())
      // Not always in turn: some wait for those before.
      if (random.chance(70)) await Promise.all(this.#asking)
      await pause(random.below(longestPauseMs))
    }
  }

  /** Joins a group, or leaves it. */
  toggleGroup(): void {
    const group = this.#options.random.pick(ROOMS)
    const action = this.#groups.next(group)
    const request = { group, action }
    this.#groups.ask(request)
    const asked = action === 'join' ? this.#channel.joinGroup(group) : this.#channel.leaveGroup(group)
    this.facts[action === 'join' ? 'joins' : 'leaves'] += 1
    this.#track(
      action,
      asked.then(() => this.#groups.answered(request)),
    )
  }

  askWhoIsThere(): void {
    const group = this.#options.random.pick(ROOMS)
    const listed = this.#channel.getClients(group).then(({ clients, asOf }) => {
      const publicTokens = clients.map(({ publicToken }) => publicToken)
      this.facts.lists.push({ group, asOf, answeredMs: machineMs(), publicTokens })
    })
    this.#track('list', listed)
  }

  reload(): void {
    this.facts.reloads += 1
    this.#life.abort()
    this.#replace(this.#tab.reloaded(), true)
  }

  /** The page is gone before it can write down what it dealt with last. */
  crash(): void {
    this.facts.crashes += 1
    const tab = this.#tab.reloaded()
    this.#life.abort()
    this.#replace(tab, false)
  }

  /** The page is loaded anew as browsers do it: it says goodbye by a beacon. */
  sayGoodbyeAndReturn(): void {
    this.facts.returns += 1
    this.#tab.fire('pagehide')
    this.#life.abort()
    this.#replace(this.#tab.reloaded(), true)
  }

  /** It leaves for good. */
  async leave(): Promise<void> {
    this.#depart('left')
    await this.#channel.leave()
    this.#life.abort()
  }

  /** It is there no more, and says nothing. */
  die(): void {
    this.#depart('died')
    this.#life.abort()
  }

  /** Resolves when it sends nothing any more, and has its answers. */
  async silence(): Promise<void> {
    this.#isSilent = true
    while (this.#asking.size > 0) await Promise.all(this.#asking)
  }

  /** The test is over. */
  close(): void {
    this.#isSilent = true
    this.#groups.end()
    this.#life.abort()
  }

  #depart(kind: 'left' | 'died'): void {
    this.#isSilent = true
    this.#groups.end()
    this.facts.departure = { publicToken: this.publicToken!, kind, atMs: machineMs() }
  }

  /** A promise of this life of the page. When that ends, nobody waits for it. */
  #track(what: string, asked: Promise<void>): void {
    const { signal } = this.#life
    const done = asked
      .catch((error: unknown) => {
        if (signal.aborted || this.facts.departure) return
        this.facts.problems.push({ kind: 'refused', text: `${this.name}: ${what}: ${error}` })
      })
      .finally(() => this.#asking.delete(done))
    this.#asking.add(done)
  }

  #replace(tab: FaultsTab, isClean: boolean): void {
    this.#tab = tab
    this.facts.record.beginLife(isClean)
    this.#groups.reload()
    this.#life = new AbortController()
    this.#channel = this.#open()
    this.#work = this.#newWork()
  }

  #newWork(): PageWork {
    return new PageWork(this.#channel, `${this.name}.${this.#lives}`, this.#options.random, this.facts.sends)
  }

  #open(): CometChannel {
    const { url, number, idleSeconds } = this.#options
    const { facts, name } = this
    const { signal } = this.#life
    this.#lives += 1
    const headers = { [USER_HEADER]: this.#user, [ROOM_HEADER]: this.#room, [IDLE_HEADER]: `${idleSeconds}` }
    const channel = new CometChannel(url, null, 'page', {
      storage: this.#tab,
      transports: TRANSPORTS[(number + this.#lives) % TRANSPORTS.length],
      headers: () => headers,
      signal,
      fetch: (input, init) => this.#fetch(`${input}`, init),
    })
    channel.addSuccessHandler((_token, _alias, { mid }) => {
      facts.deliveries += 1
      facts.record.take(channel.publicToken!, mid)
    })
    channel.addEventListener('statechange', ({ detail: { state } }) => {
      if (state === 'connected') this.#noteConnected(channel.publicToken!)
      if (state === 'disconnected' && !signal.aborted && !facts.departure) facts.disconnections += 1
    })
    channel.addEventListener('reset', ({ detail: { reason } }) => {
      facts.resets.push({ reason, publicToken: reason === 'forgotten' ? this.#former : this.#current })
    })
    channel.addFailureHandler((_token, _alias, error) => {
      facts.failures.push(`${name}: ${error.code}, ${error.message}`)
      if (!error.willRetry) facts.problems.push({ kind: 'failed', text: `${name}: ${error}` })
    })
    this.#tab.within(() => channel.subscribe())
    return channel
  }

  #noteConnected(publicToken: string): void {
    if (publicToken === this.#current) return
    // One that was forgotten before the page had connected is what it is told of all the same.
    this.#former = this.#current ?? this.facts.clients[0]?.publicToken
    this.#current = publicToken
  }

  /** Takes note of the client that the page becomes, also if it does not get any further. */
  async #fetch(url: string, init: RequestInit | undefined): Promise<Response> {
    const response = await fetch(url, init)
    if (response.ok && url.endsWith('/register')) {
      const { publicToken, privateToken } = (await response.clone().json()) as RegisterAnswer
      const { idleSeconds } = this.#options
      this.facts.clients.push({ publicToken, privateToken, user: this.#user, idleSeconds })
      this.#groups.begin(publicToken, this.#room)
    }
    return response
  }
}
