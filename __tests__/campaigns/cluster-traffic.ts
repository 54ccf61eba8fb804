import type { PassedRequest, Watcher } from './balancer.ts'
import type { Contact, GoodbyeFact, Stray } from './cluster-facts.ts'
import { machineMs } from './machine-clock.ts'

export const REQUEST_KINDS = [
  'stream',
  'poll',
  'send',
  'groups',
  'clients',
  'register',
  'goodbye',
  'other',
] as const

export type RequestKind = (typeof REQUEST_KINDS)[number]

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
  readonly #open = new Set<OpenRequest>()
  readonly #known = new Map<string, Known>()

  /** How many requests each node has taken, by its port. */
  get byPort(): ReadonlyMap<number, number> {
    return this.#byPort
  }

  readonly watch = (passed: PassedRequest, port: number): Watcher => {
    const kind = kindOf(passed)
    const request: OpenRequest = { kind, token: tokenOf(passed), port, fromMs: machineMs() }
    this.#open.add(request)
    this.requests[kind] += 1
    this.#byPort.set(port, (this.#byPort.get(port) ?? 0) + 1)
    if (kind === 'stream') this.streamsAtMs.push(request.fromMs)
    const known = this.#of(request.token)
    const place = kind === 'goodbye' ? known.goodbyes.push({ saidMs: request.fromMs }) - 1 : -1
    return {
      answered: (status) => {
        request.status = status
        if (kind === 'goodbye' && status === 204)
          known.goodbyes[place] = { saidMs: request.fromMs, heardMs: machineMs() }
      },
      ended: () => this.#ended(request),
    }
  }

  /** The node at this port is being killed. */
  noteKill(port: number): void {
    for (const { port: at, kind } of this.#open) if (at === port) this.cut[kind] += 1
  }

  /** When nodes surely held this client: their answers were good ones. */
  contactsOf(privateToken: string): Contact[] {
    const open = [...this.#open].filter((each) => each.token === privateToken && isContact(each))
    return [
      ...this.#of(privateToken).contacts,
      ...open.map(({ fromMs }) => ({ fromMs, toMs: Number.POSITIVE_INFINITY })),
    ]
  }

  /** When any request of this client ended last. */
  lastOf(privateToken: string): number {
    const isOpen = [...this.#open].some(({ token }) => token === privateToken)
    return isOpen ? machineMs() : this.#of(privateToken).lastMs
  }

  goodbyesOf(privateToken: string): readonly GoodbyeFact[] {
    return this.#of(privateToken).goodbyes
  }

  straysOf(privateToken: string): readonly Stray[] {
    return this.#of(privateToken).strays
  }

  #ended(request: OpenRequest): void {
    this.#open.delete(request)
    const toMs = machineMs()
    const known = this.#of(request.token)
    known.lastMs = toMs
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

function kindOf({ url, headers }: PassedRequest): RequestKind {
  const [, subpath] = /^\/comet\/([a-z]+)/.exec(url) ?? []
  if (subpath !== undefined) return REQUEST_KINDS.find((kind) => kind === subpath) ?? 'other'
  // One that only tries whether streams get through holds nothing.
  if (headers['comet-probe']) return 'other'
  return headers.accept === 'text/event-stream' ? 'stream' : 'poll'
}

/** In a header, or in the form of a goodbye. */
function tokenOf({ headers, body }: PassedRequest): string {
  const { authorization } = headers
  if (authorization) return authorization.replace(/^Bearer /, '')
  return new URLSearchParams(body.toString()).get('privateToken') ?? ''
}
