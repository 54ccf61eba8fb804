import type {
  InitialiseOperation,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  RefusalCode,
} from '../../lib/comet-state-provider.ts'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY } from '../../lib/topics.ts'
import type { Bearer, ModelClient } from './model-client.ts'

/** What the model says of an operation: it is refused, it repeats what has an id, or it gets a new id. */
export type Prediction = { readonly refused: RefusalCode } | { readonly id: number } | 'new'

/**
 * What a provider's store keeps beside the log, in its simplest form, which a real one is compared with. Nothing is
 * forgotten. Each method is one atomic step.
 */
export class Model {
  #clients = new Map<string, ModelClient>()
  #stopped = new Set<string>()
  #keys = new Map<string, number>()
  #bearers = new Map<string, readonly Bearer[]>()
  #nowSeconds = 0
  #sweptAtSeconds = 0
  #fingerprint: string | undefined

  /** A model that goes its own way from here. */
  copy(): Model {
    const copy = new Model()
    copy.#clients = new Map(this.#clients)
    copy.#stopped = new Set(this.#stopped)
    copy.#keys = new Map(this.#keys)
    copy.#bearers = new Map(this.#bearers)
    copy.#nowSeconds = this.#nowSeconds
    copy.#sweptAtSeconds = this.#sweptAtSeconds
    return copy
  }

  /** The same for two models that will never differ, if they are as old. */
  get fingerprint(): string {
    this.#fingerprint ??= JSON.stringify([
      [...this.#clients.values()].sort((a, b) => a.generation - b.generation),
      [...this.#stopped].sort(),
      [...this.#keys].sort(),
      this.#sweptAtSeconds,
    ])
    return this.#fingerprint
  }

  get publicTokens(): string[] {
    return [...this.#clients.keys()].sort()
  }

  /** The newest bearer of a public token, who may be gone, or the one before; somebody unknown if there was none. */
  bearerOf(publicToken: string, earlier: boolean): Bearer {
    return (
      this.#bearers.get(publicToken)?.at(earlier ? -2 : -1) ?? { generation: 1, privateTokenHash: 'unknown' }
    )
  }

  clientOf(privateTokenHash: string): ModelClient | 'stopped' | undefined {
    for (const client of this.#clients.values())
      if (client.privateTokenHash === privateTokenHash) return client
    return this.#stopped.has(privateTokenHash) ? 'stopped' : undefined
  }

  predict(operation: Operation): Prediction {
    const refusedAsUnknown = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' } as const
    switch (operation.kind) {
      case 'send': {
        const id = operation.key === undefined ? undefined : this.#keys.get(operation.key)
        if (id !== undefined) return { id }
        return operation.receiver === undefined || this.#clients.has(operation.receiver)
          ? 'new'
          : refusedAsUnknown
      }
      case 'initialise': {
        const { client, privateTokenHash, maxClients } = operation
        if (this.#clients.has(client.publicToken) || this.clientOf(privateTokenHash)) {
          return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
        }
        return this.#clients.size < maxClients ? 'new' : { refused: 'COMET_TOO_MANY_CLIENTS' }
      }
      case 'remove': {
        const exists = this.#clients.get(operation.publicToken)?.generation === operation.generation
        return exists ? 'new' : refusedAsUnknown
      }
      case 'stop':
        return 'new'
    }
  }

  /** Does an operation that was given a new id. Answers with the public tokens that it stopped. */
  apply(operation: Operation, id: number): string[] {
    this.#fingerprint = undefined
    switch (operation.kind) {
      case 'send':
        if (operation.key !== undefined) this.#keys.set(operation.key, id)
        return []
      case 'initialise':
        this.#initialise(operation, id)
        return []
      case 'remove':
        this.#clients.delete(operation.publicToken)
        return []
      case 'stop':
        return this.#stop(operation.topics)
    }
  }

  renew(renewal: LeaseRenewal): LeaseOutcome {
    const { publicToken, generation, holder, take, returns, goodbye, seconds, acknowledged } = renewal
    const client = this.#clients.get(publicToken)
    if (client?.generation !== generation) return 'gone'
    if (client.holder !== undefined && client.holder !== holder && !take) return 'elsewhere'
    if (client.goodbye && !returns) return 'kept'
    const acknowledgedId = acknowledged
      ? Math.max(client.acknowledgedId ?? 0, acknowledged.messageId)
      : client.acknowledgedId
    const expiresAtSeconds = this.#nowSeconds + seconds
    this.#fingerprint = undefined
    this.#clients.set(publicToken, { ...client, holder, goodbye, acknowledgedId, expiresAtSeconds })
    return 'kept'
  }

  pass(seconds: number): void {
    this.#nowSeconds += seconds
  }

  /** Takes note of a sweep. If nobody swept for long, that time is added to all leases. */
  noteSweep(): void {
    const unswept = this.#nowSeconds - this.#sweptAtSeconds
    this.#fingerprint = undefined
    this.#sweptAtSeconds = this.#nowSeconds
    if (unswept <= 2 * SWEEP_PERIOD_SECONDS) return
    for (const [publicToken, client] of this.#clients) {
      this.#clients.set(publicToken, { ...client, expiresAtSeconds: client.expiresAtSeconds + unswept })
    }
  }

  /** Those whom a sweep has to remove now. */
  expired(): ModelClient[] {
    return [...this.#clients.values()].filter(({ expiresAtSeconds }) => expiresAtSeconds <= this.#nowSeconds)
  }

  #initialise(
    { client: { publicToken }, privateTokenHash, leaseSeconds }: InitialiseOperation,
    id: number,
  ): void {
    const expiresAtSeconds = this.#nowSeconds + leaseSeconds
    const fresh = { holder: undefined, acknowledgedId: undefined, goodbye: false, expiresAtSeconds }
    this.#clients.set(publicToken, { publicToken, privateTokenHash, generation: id, ...fresh })
    const bearers = this.#bearers.get(publicToken) ?? []
    this.#bearers.set(publicToken, [...bearers, { generation: id, privateTokenHash }])
  }

  #stop(topics: readonly string[]): string[] {
    const stopped = [...this.#clients.values()].filter(({ publicToken }) =>
      topics.some((topic) => topic === EVERYBODY || topic === clientTopic(publicToken)),
    )
    for (const { publicToken, privateTokenHash } of stopped) {
      this.#clients.delete(publicToken)
      this.#stopped.add(privateTokenHash)
    }
    return stopped.map(({ publicToken }) => publicToken)
  }
}
