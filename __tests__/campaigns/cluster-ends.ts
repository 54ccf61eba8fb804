import { setTimeout as pause } from 'node:timers/promises'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import type { Cluster } from './cluster.ts'

/** Of a hundred nodes that end, so many are killed; the others close in order. */
const KILLED_PERCENT = 60
/** Of those that close, so many are taken out of the balancer before. */
const BYPASSED_PERCENT = 50
const CLOSING_SECONDS = [0, 0.5, 1, 2] as const

/** How long the place of a node stays empty. */
const LONGEST_GAP_MS = 800

/** Ends the nodes of a cluster at random, and starts others in their places. One at least goes on serving. */
export class NodeEnds {
  kills = 0
  closes = 0
  restarts = 0
  readonly #cluster: Cluster
  readonly #random: SeededRandom
  readonly #serving: Set<number>
  readonly #replacing = new Set<Promise<void>>()
  #isOver = false
  #failure: Error | undefined

  constructor(cluster: Cluster, nodes: number, random: SeededRandom) {
    this.#cluster = cluster
    this.#random = random
    this.#serving = new Set(Array.from({ length: nodes }, (_, place) => place))
  }

  get ends(): number {
    return this.kills + this.closes
  }

  /** Whether a node could not be replaced: `rest()` tells why. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Until `rest()`, or so many have ended. */
  async run(ends: number, longestLifeMs: number): Promise<void> {
    while (!this.#isOver && !this.hasFailed && this.ends < ends) {
      await pause(this.#random.below(longestLifeMs))
      if (this.#isOver || this.#serving.size < 2) continue
      this.#replace(this.#random.pick([...this.#serving]))
    }
  }

  /** Resolves when there is a node at each place again. */
  async rest(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#replacing)
    if (this.#failure) throw this.#failure
  }

  #replace(place: number): void {
    this.#serving.delete(place)
    const replacing = this.#endAndStart(place)
      .catch((error: Error) => {
        this.#failure ??= error
      })
      .finally(() => this.#replacing.delete(replacing))
    this.#replacing.add(replacing)
  }

  async #endAndStart(place: number): Promise<void> {
    if (this.#random.chance(KILLED_PERCENT)) {
      this.kills += 1
      await this.#cluster.killNode(place)
    } else {
      this.closes += 1
      if (this.#random.chance(BYPASSED_PERCENT)) await this.#cluster.bypass(place)
      await this.#cluster.closeNode(place, this.#random.pick(CLOSING_SECONDS))
    }
    await pause(this.#random.below(LONGEST_GAP_MS))
    await this.#cluster.startNode(place)
    this.restarts += 1
    this.#serving.add(place)
    if (!this.#isOver) this.#cluster.prepareNode()
  }
}
