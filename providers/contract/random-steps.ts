import type { Claim } from '../../lib/comet-state-provider.ts'
import { LONG_SECONDS } from './operations.ts'
import type { ProviderStorage } from './provider-storage.ts'
import { CLIENTS, LEASE_SECONDS, PAGES, RUN_SECONDS } from './random-names.ts'
import { randomOperation } from './random-operations.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Planned, PlannedCall, PlannedRenewal, Step } from './steps.ts'

/** The steps of one history. If the storage cannot move its clock no time passes, and all leases are long. */
export function randomSteps(random: SeededRandom, count: number, storage: ProviderStorage): Step[] {
  const planner = new Planner(random, storage)
  return Array.from({ length: count }, () => planner.step())
}

type PlannedAsk = Planned<Pick<Claim, 'publicToken' | 'generation' | 'key' | 'run'>>

class Planner {
  readonly #random: SeededRandom
  readonly #movesClock: boolean
  readonly #canCrash: boolean
  readonly #ways: number
  #lastAsk: PlannedAsk | undefined

  constructor(random: SeededRandom, { advance, faults }: ProviderStorage) {
    this.#random = random
    this.#movesClock = advance !== undefined
    this.#canCrash = faults?.crash !== undefined
    this.#ways = faults?.interruptions?.length ?? 0
  }

  step(): Step {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 3 && this.#canCrash) {
      const who = random.chance(50) ? 'all' : random.below(2)
      return { step: 'crash', who, turns: random.below(6), calls: this.#calls() }
    }
    if (dice >= 3 && dice < 6 && this.#ways > 0) {
      const turns = random.chance(50) ? 0 : 1 + random.below(2)
      return { step: 'interrupt', way: random.below(this.#ways), turns, calls: this.#calls() }
    }
    if (dice < 64) return { step: 'call', calls: [this.#call(random.below(2))] }
    if (dice < 77) return { step: 'call', calls: this.#calls() }
    if (dice < 80)
      return { step: 'open', node: random.below(2), turns: random.below(3), calls: this.#calls() }
    if (dice < 86) return { step: 'catch up', node: random.below(2) }
    if (dice < 89 || (dice < 99 && !this.#movesClock)) return { step: 'reopen', node: random.below(2) }
    if (dice < 99) return { step: 'pass', seconds: 1 + random.below(4) }
    return { step: 'restart', seconds: this.#movesClock ? random.below(20) : 0 }
  }

  #call(node: number): PlannedCall {
    const dice = this.#random.below(90)
    if (dice < 42) return this.#append(node)
    if (dice < 56) return this.#renew(node)
    if (dice < 70) return this.#read(node)
    if (dice < 82) return this.#claimOrSettle(node)
    return { node, call: 'sweep' }
  }

  /** What two nodes do at once. A manager makes one call of a kind at a time, but for reads. */
  #calls(): PlannedCall[] {
    const random = this.#random
    const calls: PlannedCall[] = []
    for (const node of [0, 1]) {
      if (random.chance(75)) calls.push(this.#append(node))
      if (random.chance(45)) calls.push(this.#renew(node))
      if (random.chance(25)) calls.push({ node, call: 'sweep' })
      if (random.chance(35)) calls.push(this.#read(node))
      if (random.chance(20)) calls.push(this.#claimOrSettle(node))
    }
    return calls
  }

  #append(node: number): PlannedCall {
    const length = 1 + this.#random.below(3)
    return {
      node,
      call: 'append',
      operations: Array.from({ length }, () => randomOperation(this.#random, this.#leaseSeconds())),
    }
  }

  #renew(node: number): PlannedCall {
    const length = 1 + this.#random.below(2)
    return { node, call: 'renew', renewals: Array.from({ length }, () => this.#renewal()) }
  }

  #read(node: number): PlannedCall {
    const random = this.#random
    return { node, call: 'read', publicToken: random.pick(CLIENTS), earlier: random.chance(25) }
  }

  #claimOrSettle(node: number): PlannedCall {
    const length = 1 + this.#random.below(3)
    if (this.#random.chance(40)) {
      const replies = Array.from({ length }, () => {
        const asked = this.#asking()
        return { ...asked, reply: JSON.stringify([asked.key, asked.run]) }
      })
      return { node, call: 'settle', replies }
    }
    const claims = Array.from({ length }, () => {
      const runSeconds = this.#movesClock ? this.#random.pick(RUN_SECONDS) : LONG_SECONDS
      return { ...this.#asking(), runSeconds, seconds: LONG_SECONDS }
    })
    return { node, call: 'claim', claims }
  }

  /** Mostly what was asked for last, so that some of it comes to be answered. */
  #asking(): PlannedAsk {
    const random = this.#random
    const run = random.pick(['run-1', 'run-2'])
    if (this.#lastAsk !== undefined && random.chance(70)) return { ...this.#lastAsk, run }
    const [publicToken, key] = [random.pick(CLIENTS), random.pick(['ask-1', 'ask-2'])]
    this.#lastAsk = { publicToken, earlier: random.chance(15), key, run }
    return this.#lastAsk
  }

  #renewal(): PlannedRenewal {
    const random = this.#random
    const goodbye = random.chance(25)
    const returns = !goodbye && random.chance(60)
    return {
      publicToken: random.pick(CLIENTS),
      earlier: random.chance(15),
      holder: random.pick(PAGES),
      take: returns && random.chance(50),
      returns,
      seconds: this.#leaseSeconds(),
      goodbye,
      ...(random.chance(50) && { acknowledgedBelowHead: random.below(12) }),
    }
  }

  #leaseSeconds(): number {
    return this.#movesClock ? this.#random.pick(LEASE_SECONDS) : LONG_SECONDS
  }
}
