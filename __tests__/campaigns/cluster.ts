import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { CampaignChild } from './campaign-child.ts'
import { ClusterBalancer } from './cluster-balancer.ts'
import { ClusterLog } from './cluster-log.ts'
import { ClusterNode, NodeFacts } from './cluster-node.ts'
import type {
  ClusterOrder,
  ClusterSaid,
  ListedClient,
  NodeEnd,
  PublishOrder,
  Sabotage,
} from './cluster-orders.ts'
import type { ClusterStore } from './cluster-store.ts'
import { ClusterTraffic } from './cluster-traffic.ts'
import { quietPort } from './quiet-port.ts'

/** More than a process sends. */
const NUMBERS_OF_NODE = 1_000_000

/** Of the message that is sent last: no node counts from there. */
const LAST_NUMBER = 1

const LOOK_AGAIN_MS = 20

export interface ClusterOptions {
  readonly seed: number
  readonly nodes: number
  readonly store: ClusterStore
  readonly publish: PublishOrder
  readonly sabotage?: Sabotage | undefined
}

interface Parts {
  readonly log: ClusterLog
  readonly balancer: ClusterBalancer
  readonly traffic: ClusterTraffic
  readonly ports: readonly number[]
}

/** Several processes that serve one channel, behind a balancer that sends each request to the next of them. */
export class Cluster {
  readonly facts = new NodeFacts()
  readonly log: ClusterLog
  readonly traffic: ClusterTraffic
  readonly #options: ClusterOptions
  readonly #balancer: ClusterBalancer
  readonly #ports: readonly number[]
  /** By their places. */
  readonly #nodes: ClusterNode[] = []
  /** Loads its modules while others serve. */
  #spare: CampaignChild<ClusterSaid> | undefined
  /** The ports that no requests are sent to. */
  readonly #bypassed = new Set<number>()
  #processes = 0
  #pages: readonly string[] = []

  private constructor(options: ClusterOptions, { log, balancer, traffic, ports }: Parts) {
    this.#options = options
    this.log = log
    this.#balancer = balancer
    this.traffic = traffic
    this.#ports = ports
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const random = new SeededRandom(options.seed)
    const ports: number[] = []
    while (ports.length < options.nodes) {
      const port = await quietPort(random)
      if (!ports.includes(port)) ports.push(port)
    }
    const traffic = new ClusterTraffic()
    const log = await ClusterLog.follow(options.store)
    const balancer = await ClusterBalancer.open(ports, traffic)
    const cluster = new Cluster(options, { log, balancer, traffic, ports })
    try {
      await Promise.all(ports.map((_, place) => cluster.startNode(place)))
      return cluster
    } catch (error) {
      await cluster.end()
      throw error
    }
  }

  /** Where pages find the channel. */
  get url(): string {
    return `http://127.0.0.1:${this.#balancer.port}/comet`
  }

  /** How many requests each place has taken. */
  get requestsByPlace(): readonly number[] {
    return this.#ports.map((port) => this.traffic.byPort.get(port) ?? 0)
  }

  /** Has another process wait for its turn to be a node. */
  prepareNode(): void {
    if (this.#spare) return
    this.#spare = new CampaignChild('cluster-child')
    const order: ClusterOrder = { prepare: this.#options.store }
    this.#spare.tell(order)
  }

  /** Resolves when there is a node at this place. */
  async startNode(place: number): Promise<void> {
    this.prepareNode()
    const child = this.#spare!
    this.#spare = undefined
    this.#processes += 1
    const { seed, publish, sabotage } = this.#options
    const number = this.#processes
    const order = {
      port: this.#ports[place]!,
      name: `node-${number}`,
      seed: seed + number,
      firstNumber: number * NUMBERS_OF_NODE,
      sabotage,
    }
    const node = new ClusterNode(child, order, this.facts)
    this.#nodes[place] = node
    await node.listens()
    this.#bypassed.delete(order.port)
    await this.#balance()
    node.tell({ pages: this.#pages })
    node.tell({ publish })
    // Soon: the store does not know keys for ever.
    node.resolveDoubts()
  }

  /** At once, whatever it is at. */
  async killNode(place: number): Promise<void> {
    this.traffic.noteKill(this.#ports[place]!)
    await this.#nodes[place]!.kill()
  }

  /** In order. Resolves when it has gone. */
  closeNode(place: number, overSeconds: number): Promise<NodeEnd> {
    return this.#nodes[place]!.close(overSeconds)
  }

  /**
   * Sends no more requests to this place until another node is there. Resolves when this one has taken those that were on
   * their way.
   */
  async bypass(place: number): Promise<void> {
    const port = this.#ports[place]!
    this.#bypassed.add(port)
    await this.#balance()
    // The first answer may overtake what the node read in the same turn.
    for (let asked = 0; asked < 2; asked += 1) await (await fetch(`http://127.0.0.1:${port}/`)).text()
  }

  /** Those that messages may be addressed to. */
  tellPages(publicTokens: readonly string[]): void {
    if (publicTokens.join() === this.#pages.join()) return
    this.#pages = publicTokens
    for (const node of this.#nodes) node.tell({ pages: publicTokens })
  }

  /** Resolves when nothing is sent any more, and it is known of all what became of it. */
  async silence(): Promise<void> {
    for (const node of this.#nodes) await node.silence()
  }

  /** Sends a last message to everybody. Resolves with its id when all up to there was read in the log. */
  async sendLast(): Promise<number> {
    this.#nodes[0]!.tell({ send: [[LAST_NUMBER, {}]] })
    while (this.facts.messages.get(LAST_NUMBER)?.id === undefined) await pause(LOOK_AGAIN_MS)
    await this.log.catchUp()
    await this.#balancer.catchUp()
    return this.facts.messages.get(LAST_NUMBER)!.id!
  }

  /** The clients that each node says are there. */
  lists(): Promise<(readonly ListedClient[])[]> {
    return Promise.all(this.#nodes.map((node) => node.list()))
  }

  async end(): Promise<void> {
    await this.#balancer.close()
    await this.log.close()
    await this.#spare?.kill()
    await Promise.all(this.#nodes.map((node) => node.end()))
  }

  #balance(): Promise<void> {
    return this.#balancer.sendTo(this.#ports.filter((port) => !this.#bypassed.has(port)))
  }
}
