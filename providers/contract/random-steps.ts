import type { SendOperation } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY } from '../../lib/topics.ts'
import { hashOf, initialise, LONG_SECONDS, send, stop } from './operations.ts'
import type { ProviderStorage } from './provider-storage.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { PlannedCall, PlannedOperation, PlannedRenewal, Step } from './steps.ts'

/** Few of each, so that histories meet them again and again. */
export const CLIENTS = ['ann', 'bob', 'eve', 'joe']
const PRIVATE_TOKENS = 'abcdefghijklmnopqrst'.split('')
const KEYS = ['key-1', 'key-2', 'key-3']
const PAGES = ['page-1', 'page-2']
const MAX_CLIENTS = 3

/** Never whole, as the time that passes is: no lease ends at the very moment of a sweep. */
const LEASE_SECONDS = [2.5, 6.5, LONG_SECONDS]

/** The steps of one history. If the storage cannot move its clock no time passes, and all leases are long. */
export function randomSteps(random: SeededRandom, count: number, storage: ProviderStorage): Step[] {
  const planner = new Planner(random, storage)
  return Array.from({ length: count }, () => planner.step())
}

class Planner {
  readonly #random: SeededRandom
  readonly #movesClock: boolean
  readonly #canCrash: boolean
  readonly #ways: number

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
    const dice = this.#random.below(80)
    if (dice < 42) return this.#append(node)
    if (dice < 58) return this.#renew(node)
    if (dice < 72) return this.#read(node)
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
    }
    return calls
  }

  #append(node: number): PlannedCall {
    const length = 1 + this.#random.below(3)
    return { node, call: 'append', operations: Array.from({ length }, () => this.#operation()) }
  }

  #renew(node: number): PlannedCall {
    const length = 1 + this.#random.below(2)
    return { node, call: 'renew', renewals: Array.from({ length }, () => this.#renewal()) }
  }

  #read(node: number): PlannedCall {
    const random = this.#random
    return { node, call: 'read', publicToken: random.pick(CLIENTS), earlier: random.chance(25) }
  }

  #operation(): PlannedOperation {
    const random = this.#random
    const publicToken = random.pick(CLIENTS)
    const dice = random.below(100)
    if (dice < 45) return this.#send(publicToken)
    if (dice < 88) {
      const privateTokenHash = hashOf(random.pick(PRIVATE_TOKENS))
      const leaseSeconds = this.#seconds()
      return initialise(publicToken, { privateTokenHash, leaseSeconds, maxClients: MAX_CLIENTS })
    }
    if (dice < 97) return { kind: 'remove', publicToken, earlier: random.chance(25) }
    return random.chance(10) ? { kind: 'stop', topics: [EVERYBODY] } : stop(publicToken, random.pick(CLIENTS))
  }

  /** Contents tell one message from another. */
  #send(receiver: string): SendOperation {
    const random = this.#random
    const contents = String(random.below(1_000_000))
    const more = random.chance(30) ? { contents, key: random.pick(KEYS) } : { contents }
    const dice = random.below(3)
    if (dice === 0) return send('To one', { topics: [clientTopic(receiver)], receiver, ...more })
    if (dice === 1)
      return send('To several', { topics: CLIENTS.slice(random.below(3)).map(clientTopic), ...more })
    return send('To everybody', { except: random.chance(50) ? [receiver] : [], ...more })
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
      seconds: this.#seconds(),
      goodbye,
      ...(random.chance(50) && { acknowledgedBelowHead: random.below(12) }),
    }
  }

  #seconds(): number {
    return this.#movesClock ? this.#random.pick(LEASE_SECONDS) : LONG_SECONDS
  }
}
