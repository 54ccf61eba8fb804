import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { type Act, pickByWeight } from '../support/weighted.ts'
import { ClusterPage } from './cluster-page.ts'
import { waitUntil } from './wait-until.ts'

/** Of those that may depart, one of so many dies silently; the others leave. */
const DEATHS = 2
/** Who will die has a short idle time. */
const IDLE_SECONDS_OF_DOOMED = [1, 2] as const
const IDLE_SECONDS = [3, 5, 8] as const

const CONNECTING_MS = 60_000

/** What pages do beside sending. */
export interface PageHabits {
  readonly pages: number
  /** How long a page waits at most until it does something, and until it sends something. */
  readonly longestPauseMs: number
  /** Whether they are loaded anew. */
  readonly reloads: boolean
  /** How many go at the beginning, and how many of a hundred acts after that are departures. Others come for them. */
  readonly departures: number
  readonly departurePercent: number
}

interface Inhabitant {
  readonly page: ClusterPage
  readonly random: SeededRandom
  readonly isDoomed: boolean
}

/** The pages of a site: so many are there, and another one comes for each that goes. */
export class ClusterPages {
  readonly #url: string
  readonly #seed: number
  readonly #habits: PageHabits
  readonly #present = new Set<Inhabitant>()
  readonly #gone: ClusterPage[] = []
  readonly #lives = new Set<Promise<void>>()
  #count = 0
  #isOver = false

  constructor(url: string, seed: number, habits: PageHabits) {
    this.#url = url
    this.#seed = seed
    this.#habits = habits
  }

  get present(): ClusterPage[] {
    return [...this.#present].map(({ page }) => page)
  }

  get gone(): readonly ClusterPage[] {
    return this.#gone
  }

  get publicTokens(): string[] {
    return this.present.flatMap(({ publicToken }) => publicToken ?? [])
  }

  get deliveries(): number {
    return [...this.present, ...this.#gone].reduce((sum, { facts }) => sum + facts.deliveries, 0)
  }

  /** Resolves when all are connected, and those that are to go at the beginning have gone. */
  async come(): Promise<void> {
    const { pages, departures } = this.#habits
    const first = Array.from({ length: pages }, (_, index) => this.#begin(index < departures))
    await waitUntil(() => this.present.every(({ isConnected }) => isConnected), CONNECTING_MS)
    for (const each of first.slice(departures)) this.#keep(this.#live(each))
    await Promise.all(first.slice(0, departures).map((each) => this.#depart(each)))
  }

  /** Resolves when no page does anything any more, and each has the answers to what it asked. */
  async rest(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.present.map((page) => page.silence()))
    await Promise.all(this.#lives)
  }

  close(): void {
    this.#isOver = true
    for (const page of this.present) page.close()
  }

  #begin(departs: boolean): Inhabitant {
    this.#count += 1
    const random = new SeededRandom(this.#seed + this.#count)
    const isDoomed = departs && this.#count % DEATHS === 0
    const idleSeconds = random.pick(isDoomed ? IDLE_SECONDS_OF_DOOMED : IDLE_SECONDS)
    const { longestPauseMs } = this.#habits
    const number = this.#count
    const page = new ClusterPage({ number, url: this.#url, random, idleSeconds, longestPauseMs })
    const inhabitant = { page, random, isDoomed }
    this.#present.add(inhabitant)
    this.#keep(page.work())
    return inhabitant
  }

  #keep(life: Promise<void>): void {
    const kept = life.finally(() => this.#lives.delete(kept))
    this.#lives.add(kept)
  }

  async #live(inhabitant: Inhabitant): Promise<void> {
    const { page, random } = inhabitant
    while (this.#present.has(inhabitant) && !this.#isOver) {
      await pause(random.below(this.#habits.longestPauseMs))
      // A page that has had no answer yet asks for the client; asked late, it would take it from the page after it.
      if (!page.isConnected || this.#isOver || !this.#present.has(inhabitant)) continue
      if (random.chance(this.#habits.departurePercent)) await this.#depart(inhabitant)
      else this.#act(inhabitant)
    }
  }

  #act({ page, random }: Inhabitant): void {
    const acts: Act[] = [
      [35, 'toggle a group', () => page.toggleGroup()],
      [20, 'ask who is there', () => page.askWhoIsThere()],
    ]
    if (this.#habits.reloads)
      acts.push(
        [15, 'reload', () => page.reload()],
        [10, 'crash', () => page.crash()],
        [15, 'return', () => page.sayGoodbyeAndReturn()],
      )
    const [, , act] = pickByWeight(random, acts)
    act()
  }

  async #depart(inhabitant: Inhabitant): Promise<void> {
    const { page, isDoomed } = inhabitant
    this.#present.delete(inhabitant)
    this.#gone.push(page)
    const next = this.#begin(this.#habits.departurePercent > 0 && inhabitant.random.chance(50))
    this.#keep(this.#live(next))
    if (isDoomed) page.die()
    else await page.leave()
  }
}
