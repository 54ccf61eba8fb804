import type { TrafficSaid } from './cluster-balancer-child.ts'
import type { Contact, GoodbyeFact, Stray } from './cluster-facts.ts'
import { REQUEST_KINDS, type RequestKind } from './cluster-request.ts'
import { machineMs } from './machine-clock.ts'

export type RequestCounts = Record<RequestKind, number>

/** Intervals that lie closer together are one. */
const CLOSE_MS = 50

interface OpenRequest {
  readonly kind: RequestKind
  readonly token: string
  readonly port: number
  readonly fromMs: number
  status?: number
}

interface Known {
  /** In the order of their ends. */
  readonly contacts: Contact[]
  readonly goodbyes: GoodbyeFact[]
  /** Polls and streams only. */
  readonly strays: Stray[]
  /** The end of the last request of any kind, answered or not. */
  lastMs: number
}

/** What the balancer sees: which node is asked what, when clients were seen, and what a kill hits. */
export class ClusterTraffic {
  readonly requests = countsOfKinds()
  /** Requests that were cut because their node was killed. */
  readonly cut = countsOfKinds()
  /** When streams were asked for. */
  readonly streamsAtMs: number[] = []
  readonly #byPort = new Map<number, number>()
  /** By their numbers. */
  readonly #open = new Map<number, OpenRequest>()
  readonly #known = new Map<string, Known>()

  /** How many requests each node has taken, by its port. */
  get byPort(): ReadonlyMap<number, number> {
    return this.#byPort
  }

  hear(said: TrafficSaid): void {
    if ('began' in said) this.#began(said)
    else if ('answered' in said) this.#answered(this.#open.get(said.answered)!, said)
    else {
      this.#ended(this.#open.get(said.ended)!, said.atMs)
      this.#open.delete(said.ended)
    }
  }

  /** The node at this port is being killed. */
  noteKill(port: number): void {
    for (const { port: at, kind } of this.#open.values()) if (at === port) this.cut[kind] += 1
  }

  /** When nodes surely held this client: their answers were good ones. */
  contactsOf(privateToken: string): Contact[] {
    const open = [...this.#open.values()].filter((each) => each.token === privateToken && isContact(each))
    return [
      ...this.#of(privateToken).contacts,
      ...open.map(({ fromMs }) => ({ fromMs, toMs: Number.POSITIVE_INFINITY })),
    ]
  }

  /** When any request of this client ended last. */
  lastOf(privateToken: string): number {
    const isOpen = [...this.#open.values()].some(({ token }) => token === privateToken)
    return isOpen ? machineMs() : this.#of(privateToken).lastMs
  }

  goodbyesOf(privateToken: string): readonly GoodbyeFact[] {
    return this.#of(privateToken).goodbyes
  }

  straysOf(privateToken: string): readonly Stray[] {
    return this.#of(privateToken).strays
  }

  #began({ began, kind, token, port, atMs: fromMs }: Extract<TrafficSaid, { began: number }>): void {
    this.#open.set(began, { kind, token, port, fromMs })
    this.requests[kind] += 1
    this.#byPort.set(port, (this.#byPort.get(port) ?? 0) + 1)
    if (kind === 'stream') this.streamsAtMs.push(fromMs)
  }

  #answered(request: OpenRequest, { status, atMs }: Extract<TrafficSaid, { answered: number }>): void {
    request.status = status
    if (request.kind === 'goodbye' && status === 204)
      this.#of(request.token).goodbyes.push({ saidMs: request.fromMs, heardMs: atMs })
  }

  #ended(request: OpenRequest, toMs: number): void {
    const known = this.#of(request.token)
    known.lastMs = toMs
    if (request.kind === 'goodbye' && request.status !== 204) known.goodbyes.push({ saidMs: request.fromMs })
    if (isSubscription(request) && request.status === undefined)
      known.strays.push({ fromMs: request.fromMs, toMs })
    if (!isContact(request)) return
    const before = known.contacts.at(-1)
    const isNear = before !== undefined && request.fromMs <= before.toMs + CLOSE_MS
    const fromMs = isNear ? Math.min(before.fromMs, request.fromMs) : request.fromMs
    if (isNear) known.contacts.pop()
    known.contacts.push({ fromMs, toMs })
  }

  #of(token: string): Known {
    const known = this.#known.get(token) ?? { contacts: [], goodbyes: [], strays: [], lastMs: 0 }
    this.#known.set(token, known)
    return known
  }
}

function countsOfKinds(): RequestCounts {
  return Object.fromEntries(REQUEST_KINDS.map((kind) => [kind, 0])) as RequestCounts
}

function isSubscription({ kind }: OpenRequest): boolean {
  return kind === 'stream' || kind === 'poll'
}

/** A poll that was cut is none: the node may never have seen it. */
function isContact(request: OpenRequest): boolean {
  return isSubscription(request) && request.status === 200
}
