import type { InitialiseOperation, SendOperation, StopOperation } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY } from '../../lib/topics.ts'
import { hashOf, initialise, LONG_SECONDS, send, stop } from './operations.ts'
import type { SeededRandom } from './seeded-random.ts'

/** One step of a history: plain data, so that it can be printed, left out, and done again. */
export type Step =
  | { readonly step: 'append'; readonly node: number; readonly operations: readonly PlannedOperation[] }
  | { readonly step: 'renew'; readonly node: number; readonly renewal: PlannedRenewal }
  | { readonly step: 'read'; readonly node: number; readonly publicToken: string; readonly earlier: boolean }
  | { readonly step: 'catch up' | 'sweep' | 'reopen'; readonly node: number }
  | { readonly step: 'pass'; readonly seconds: number }

/** Who bears a public token is known only when a history runs: `earlier` means the bearer before the newest one. */
export type PlannedOperation =
  | SendOperation
  | InitialiseOperation
  | StopOperation
  | { readonly kind: 'remove'; readonly publicToken: string; readonly earlier: boolean }

export interface PlannedRenewal {
  readonly publicToken: string
  readonly earlier: boolean
  readonly holder: string
  readonly take: boolean
  readonly seconds: number
  readonly goodbye: boolean
  /** To acknowledge the position this far below the head. */
  readonly acknowledgedBelowHead?: number
}

/** Few of each, so that histories meet them again and again. */
const CLIENTS = ['ann', 'bob', 'eve', 'joe']
const PRIVATE_TOKENS = 'abcdefghijklmnopqrst'.split('')
const KEYS = ['key-1', 'key-2', 'key-3']
const PAGES = ['page-1', 'page-2']
const MAX_CLIENTS = 3

/** Never whole, as the time that passes is: no lease ends at the very moment of a sweep. */
const LEASE_SECONDS = [2.5, 6.5, LONG_SECONDS]

/** @param movesClock whether time may pass; if not, all leases are long */
export function randomSteps(random: SeededRandom, count: number, movesClock: boolean): Step[] {
  return Array.from({ length: count }, () => randomStep(random, movesClock))
}

function randomStep(random: SeededRandom, movesClock: boolean): Step {
  const node = random.below(2)
  const dice = random.below(100)
  if (dice < 40) {
    const length = 1 + random.below(3)
    return {
      step: 'append',
      node,
      operations: Array.from({ length }, () => randomOperation(random, movesClock)),
    }
  }
  if (dice < 58) return { step: 'renew', node, renewal: randomRenewal(random, movesClock) }
  if (dice < 72) return { step: 'read', node, publicToken: random.pick(CLIENTS), earlier: random.chance(25) }
  if (dice < 79) return { step: 'catch up', node }
  if (dice < 87) return { step: 'sweep', node }
  if (dice < 90 || !movesClock) return { step: 'reopen', node }
  return { step: 'pass', seconds: 1 + random.below(4) }
}

function randomOperation(random: SeededRandom, movesClock: boolean): PlannedOperation {
  const publicToken = random.pick(CLIENTS)
  const dice = random.below(100)
  if (dice < 45) return randomSend(random, publicToken)
  if (dice < 88) {
    const privateTokenHash = hashOf(random.pick(PRIVATE_TOKENS))
    const leaseSeconds = randomSeconds(random, movesClock)
    return initialise(publicToken, { privateTokenHash, leaseSeconds, maxClients: MAX_CLIENTS })
  }
  if (dice < 97) return { kind: 'remove', publicToken, earlier: random.chance(25) }
  return random.chance(10) ? { kind: 'stop', topics: [EVERYBODY] } : stop(publicToken, random.pick(CLIENTS))
}

function randomSend(random: SeededRandom, receiver: string): SendOperation {
  const dice = random.below(3)
  const key = random.chance(30) ? { key: random.pick(KEYS) } : {}
  if (dice === 0) return send('To one', { topics: [clientTopic(receiver)], receiver, ...key })
  if (dice === 1)
    return send('To several', { topics: CLIENTS.slice(random.below(3)).map(clientTopic), ...key })
  return send('To everybody', { except: random.chance(50) ? [receiver] : [], ...key })
}

function randomRenewal(random: SeededRandom, movesClock: boolean): PlannedRenewal {
  return {
    publicToken: random.pick(CLIENTS),
    earlier: random.chance(15),
    holder: random.pick(PAGES),
    take: random.chance(25),
    seconds: randomSeconds(random, movesClock),
    goodbye: random.chance(20),
    ...(random.chance(50) && { acknowledgedBelowHead: random.below(12) }),
  }
}

function randomSeconds(random: SeededRandom, movesClock: boolean): number {
  return movesClock ? random.pick(LEASE_SECONDS) : LONG_SECONDS
}
