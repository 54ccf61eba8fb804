import { CampaignChild } from './campaign-child.ts'
import type { BalancerOrder, BalancerSaid } from './cluster-balancer-child.ts'
import type { ClusterTraffic } from './cluster-traffic.ts'

/** The process of a cluster's balancer. */
export class ClusterBalancer {
  port = 0
  readonly #child = new CampaignChild<BalancerSaid>('cluster-balancer-child')
  #targets: readonly number[]
  #told = 0
  #heard = 0

  private constructor(targets: readonly number[], traffic: ClusterTraffic) {
    this.#targets = targets
    this.#child.listen((said) => {
      if ('listens' in said) this.port = said.listens
      else if ('balanced' in said) this.#heard += 1
      else traffic.hear(said)
    })
    this.#tell({ open: targets })
  }

  static async open(targets: readonly number[], traffic: ClusterTraffic): Promise<ClusterBalancer> {
    const balancer = new ClusterBalancer(targets, traffic)
    await balancer.#child.until(() => balancer.port > 0)
    return balancer
  }

  /** Resolves when no further request goes anywhere else. */
  async sendTo(targets: readonly number[]): Promise<void> {
    this.#targets = targets
    this.#told += 1
    const told = this.#told
    this.#tell({ targets })
    await this.#child.until(() => this.#heard >= told)
  }

  /** Resolves when all that it has seen by now was heard. */
  catchUp(): Promise<void> {
    return this.sendTo(this.#targets)
  }

  async close(): Promise<void> {
    await this.#child.kill()
  }

  #tell(order: BalancerOrder): void {
    this.#child.tell(order)
  }
}
