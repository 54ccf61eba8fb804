import type {
  Entry,
  InitialiseOperation,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  RefusalCode,
  SendOperation,
} from '../../lib/comet-state-provider.ts'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY } from '../../lib/topics.ts'
import type { Bearer, ModelClient } from './model-client.ts'

/** What the model says of an operation: it is refused, it repeats what has an id, or it gets a new id. */
export type Prediction = { readonly refused: RefusalCode } | { readonly id: number } | 'new'

/** A provider's store in its simplest form, which a real one is compared with. Nothing is trimmed or forgotten. */
export class Model {
  readonly entries: Entry[] = []
  readonly clients = new Map<string, ModelClient>()
  readonly #base: number
  readonly #stopped = new Set<string>()
  readonly #keys = new Map<string, number>()
  readonly #bearers = new Map<string, Bearer[]>()
  #nowSeconds = 0
  #sweptAtSeconds = 0

  /** @param base the position before the first entry */
  constructor(base: number) {
    this.#base = base
  }

  get head(): number {
    return this.entries.at(-1)?.id ?? this.#base
  }

  /** The newest bearer of a public token, who may be gone, or the one before; somebody unknown if there was none. */
  bearerOf(publicToken: string, earlier: boolean): Bearer {
    return (
      this.#bearers.get(publicToken)?.at(earlier ? -2 : -1) ?? { generation: 1, privateTokenHash: 'unknown' }
    )
  }

  clientOf(privateTokenHash: string): ModelClient | 'stopped' | undefined {
    for (const client of this.clients.values())
      if (client.privateTokenHash === privateTokenHash) return client
    return this.#stopped.has(privateTokenHash) ? 'stopped' : undefined
  }

  predict(operation: Operation): Prediction {
    const refusedAsUnknown = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' } as const
    switch (operation.kind) {
      case 'send': {
        const id = operation.key === undefined ? undefined : this.#keys.get(operation.key)
        if (id !== undefined) return { id }
        return operation.receiver === undefined || this.clients.has(operation.receiver)
          ? 'new'
          : refusedAsUnknown
      }
      case 'initialise': {
        const { client, privateTokenHash, maxClients } = operation
        if (this.clients.has(client.publicToken) || this.clientOf(privateTokenHash)) {
          return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
        }
        return this.clients.size < maxClients ? 'new' : { refused: 'COMET_TOO_MANY_CLIENTS' }
      }
      case 'remove': {
        const exists = this.clients.get(operation.publicToken)?.generation === operation.generation
        return exists ? 'new' : refusedAsUnknown
      }
      case 'stop':
        return 'new'
    }
  }

  /** Does an operation that was given a new id. Answers with the public tokens that it stopped. */
  apply(operation: Operation, id: number): string[] {
    if (operation.kind === 'stop') return this.#stop(operation.topics, id)
    if (operation.kind === 'initialise') this.#initialise(operation, id)
    else if (operation.kind === 'remove') this.remove(operation.publicToken, id)
    else this.#send(operation, id)
    return []
  }

  remove(publicToken: string, id: number): void {
    const { generation } = this.clients.get(publicToken)!
    this.clients.delete(publicToken)
    this.entries.push({ kind: 'remove', id, publicToken, generation })
  }

  renew(renewal: LeaseRenewal): LeaseOutcome {
    const client = this.clients.get(renewal.publicToken)
    if (client?.generation !== renewal.generation) return 'gone'
    if (client.holder !== undefined && client.holder !== renewal.holder && !renewal.take) return 'elsewhere'
    client.holder = renewal.holder
    client.goodbye = renewal.goodbye
    client.expiresAtSeconds = this.#nowSeconds + renewal.seconds
    if (renewal.acknowledged) {
      client.acknowledgedId = Math.max(client.acknowledgedId ?? 0, renewal.acknowledged.messageId)
    }
    return 'kept'
  }

  pass(seconds: number): void {
    this.#nowSeconds += seconds
  }

  /** Whom a sweep at this time has to remove. */
  sweep(): ModelClient[] {
    const unswept = this.#nowSeconds - this.#sweptAtSeconds
    this.#sweptAtSeconds = this.#nowSeconds
    const clients = [...this.clients.values()]
    if (unswept > 2 * SWEEP_PERIOD_SECONDS) for (const client of clients) client.expiresAtSeconds += unswept
    return clients.filter(({ expiresAtSeconds }) => expiresAtSeconds <= this.#nowSeconds)
  }

  #send({ topics, except, name, contents, key }: SendOperation, id: number): void {
    this.entries.push({ kind: 'message', id, topics, except, name, contents })
    if (key !== undefined) this.#keys.set(key, id)
  }

  #initialise(
    { client: { publicToken }, privateTokenHash, leaseSeconds }: InitialiseOperation,
    id: number,
  ): void {
    const expiresAtSeconds = this.#nowSeconds + leaseSeconds
    const fresh = { holder: undefined, acknowledgedId: undefined, goodbye: false, expiresAtSeconds }
    this.clients.set(publicToken, { publicToken, privateTokenHash, generation: id, ...fresh })
    const bearers = this.#bearers.get(publicToken) ?? []
    this.#bearers.set(publicToken, [...bearers, { generation: id, privateTokenHash }])
    this.entries.push({ kind: 'initialise', id, publicToken })
  }

  #stop(topics: readonly string[], id: number): string[] {
    const stopped = [...this.clients.values()].filter(({ publicToken }) =>
      topics.some((topic) => topic === EVERYBODY || topic === clientTopic(publicToken)),
    )
    for (const { publicToken, privateTokenHash } of stopped) {
      this.clients.delete(publicToken)
      this.#stopped.add(privateTokenHash)
    }
    this.entries.push({ kind: 'stop', id, topics })
    return stopped.map(({ publicToken }) => publicToken)
  }
}
