import { Balancer, type PassedRequest, type Watcher } from './balancer.ts'
import { obey } from './campaign-child.ts'
import { kindOf, type RequestKind, tokenOf } from './cluster-request.ts'
import { machineMs } from './machine-clock.ts'

/**
 * A balancer in a process of its own, which says what it sees. Beside hundreds of pages it would take one connection in
 * each of their turns.
 */

export type BalancerOrder = { readonly open: readonly number[] } | { readonly targets: readonly number[] }

export type BalancerSaid =
  /** At this port. */
  | { readonly listens: number }
  /** The targets that were told last are those from now on. */
  | { readonly balanced: true }
  | TrafficSaid

/** What becomes of a request, by its number. All times are by the machine's clock. */
export type TrafficSaid =
  | {
      readonly began: number
      readonly kind: RequestKind
      readonly token: string
      readonly port: number
      readonly atMs: number
    }
  | { readonly answered: number; readonly status: number; readonly atMs: number }
  | { readonly ended: number; readonly atMs: number }

/** There is much to say, and it is never killed amid something: what nobody reads yet may wait. */
const saying = (said: BalancerSaid): unknown => process.stdout.write(`${JSON.stringify(said)}\n`)

let balancer: Balancer
let requests = 0

function watch(request: PassedRequest, port: number): Watcher {
  requests += 1
  const number = requests
  saying({ began: number, kind: kindOf(request), token: tokenOf(request), port, atMs: machineMs() })
  return {
    answered: (status) => saying({ answered: number, status, atMs: machineMs() }),
    ended: () => saying({ ended: number, atMs: machineMs() }),
  }
}

obey(async (order: BalancerOrder) => {
  if ('open' in order) {
    balancer = await Balancer.open(order.open, watch)
    saying({ listens: balancer.port })
  } else {
    balancer.targets = order.targets
    saying({ balanced: true })
  }
})
