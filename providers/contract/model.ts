import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  Entry,
  InitialiseOperation,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  StopOperation,
} from '../../lib/comet-state-provider.ts'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { initialMemberships, withJoined, withLeft } from '../../lib/memberships.ts'
import { claimed, type ModelClaims, prolonged, settled, withoutClaimsOf } from './model-claims.ts'
import { type Bearer, isAddressed, type ModelClient } from './model-client.ts'
import { NOTHING, textOf, withEntry, without } from './shared-maps.ts'

/** One that a stop hit and that the store may still have to remove. */
interface Stopped {
  readonly client: ModelClient
  /** The node that does it; undefined once its process has died, or could not say that it was done. */
  readonly by: number | undefined
}

/**
 * What a provider's store keeps beside the log, in its simplest form, which a real one is compared with. Nothing is
 * forgotten. Each method is one atomic step.
 */
export class Model {
  #clients: ReadonlyMap<string, ModelClient> = NOTHING
  #stopped: ReadonlyMap<string, true> = NOTHING
  #leaving: ReadonlyMap<number, Stopped> = NOTHING
  #keys: ReadonlyMap<string, number> = NOTHING
  #claims: ModelClaims = NOTHING
  #bearers: ReadonlyMap<string, readonly Bearer[]> = NOTHING
  #head = 0
  #nowSeconds = 0
  #sweptAtSeconds = 0

  /** A model that goes its own way from here. */
  copy(): Model {
    const copy = new Model()
    copy.#clients = this.#clients
    copy.#stopped = this.#stopped
    copy.#leaving = this.#leaving
    copy.#keys = this.#keys
    copy.#claims = this.#claims
    copy.#bearers = this.#bearers
    copy.#head = this.#head
    copy.#nowSeconds = this.#nowSeconds
    copy.#sweptAtSeconds = this.#sweptAtSeconds
    return copy
  }

  /** The same for two models that will never differ, if they are as old. */
  get fingerprint(): string {
    const parts = [this.#clients, this.#stopped, this.#leaving, this.#keys, this.#claims].map(textOf)
    return `${parts} ${this.#sweptAtSeconds}`
  }

  /** The id of the newest entry that was applied. */
  get head(): number {
    return this.#head
  }

  /** The public tokens of those whom one of the topics addresses. */
  publicTokens(topics: readonly string[]): string[] {
    const clients = [...this.#clients.values()].filter((client) => isAddressed(client, topics))
    return clients.map(({ publicToken }) => publicToken).sort()
  }

  /** The newest bearer of a public token, who may be gone, or the one before; somebody unknown if there was none. */
  bearerOf(publicToken: string, earlier: boolean): Bearer {
    return (
      this.#bearers.get(publicToken)?.at(earlier ? -2 : -1) ?? { generation: 1, privateTokenHash: 'unknown' }
    )
  }

  /** Who bears a public token now; undefined if that is none, or not the one of this generation. */
  bearer(publicToken: string, generation?: number): ModelClient | undefined {
    const client = this.#clients.get(publicToken)
    return generation === undefined || client?.generation === generation ? client : undefined
  }

  clientOf(privateTokenHash: string): ModelClient | 'stopped' | undefined {
    for (const client of this.#clients.values())
      if (client.privateTokenHash === privateTokenHash) return client
    return this.#stopped.has(privateTokenHash) ? 'stopped' : undefined
  }

  /** How many clients there are, of a user or in all. */
  count(userId?: string): number {
    if (userId === undefined) return this.#clients.size
    return [...this.#clients.values()].filter((client) => client.userId === userId).length
  }

  idOfKey(key: string): number | undefined {
    return this.#keys.get(key)
  }

  /** Does what has added these entries. Of a stop it is only the beginning: see {@link leave}. */
  apply(operation: Operation, added: readonly Pick<Entry, 'id'>[], node: number): void {
    const id = added[0]!.id
    this.#head = added.at(-1)!.id
    switch (operation.kind) {
      case 'send':
        if (operation.key !== undefined) this.#keys = withEntry(this.#keys, operation.key, id)
        return
      case 'initialise':
        this.#initialise(operation, id)
        return
      case 'update': {
        const { publicToken, displayName, data } = operation
        const changes = {
          ...(displayName !== undefined && { displayName }),
          ...(data !== undefined && { data }),
        }
        this.#change(publicToken, (client) => ({ ...client, ...changes }))
        return
      }
      case 'join':
        this.#change(operation.publicToken, (client) => ({
          ...client,
          ...withJoined(client, operation.group, id),
        }))
        return
      case 'leave':
        this.#change(operation.publicToken, (client) => ({
          ...client,
          ...withLeft(client, operation.group, id, 0),
        }))
        return
      case 'remove':
        this.#remove(operation)
        return
      case 'stop':
        this.#stop(operation, node)
    }
  }

  /** Those whom stops have hit, and who are not known to have been removed by now. */
  leaving(): Stopped[] {
    return [...this.#leaving.values()]
  }

  /** Removes one that a stop has hit, by these entries. */
  leave({ generation }: ModelClient, added: readonly Pick<Entry, 'id'>[]): void {
    this.#head = added.at(-1)?.id ?? this.#head
    this.#leaving = without(this.#leaving, generation)
  }

  /** No stop is under way any more. */
  abandonStops(): void {
    if (this.#leaving.size === 0) return
    const left = [...this.#leaving].map(
      ([generation, { client }]) => [generation, { client, by: undefined }] as const,
    )
    this.#leaving = new Map(left)
  }

  renew(renewal: LeaseRenewal): LeaseOutcome {
    const { publicToken, generation, holder, take, returns, goodbye, seconds, acknowledged } = renewal
    const client = this.bearer(publicToken, generation)
    if (client === undefined) return 'gone'
    if (client.holder !== undefined && client.holder !== holder && !take) return 'elsewhere'
    if (client.goodbye && !returns) return 'kept'
    const acknowledgedId = acknowledged
      ? Math.max(client.acknowledgedId ?? 0, acknowledged.messageId)
      : client.acknowledgedId
    const expiresAtSeconds = this.#nowSeconds + seconds
    this.#change(publicToken, () => ({ ...client, holder, goodbye, acknowledgedId, expiresAtSeconds }))
    return 'kept'
  }

  /** Answers with what can be answered. */
  claim(claim: Claim): ClaimOutcome[] {
    if (!this.bearer(claim.publicToken, claim.generation)) return ['gone']
    const { answers, claims } = claimed(this.#claims, claim, this.#nowSeconds)
    this.#claims = claims
    return answers
  }

  settle(reply: ClaimReply): void {
    this.#claims = settled(this.#claims, reply)
  }

  pass(seconds: number): void {
    this.#nowSeconds += seconds
  }

  /** Takes note of a sweep. If nobody swept for long, that time is added to all leases. */
  noteSweep(): void {
    const unswept = this.#nowSeconds - this.#sweptAtSeconds
    this.#sweptAtSeconds = this.#nowSeconds
    if (unswept <= 2 * SWEEP_PERIOD_SECONDS) return
    this.#claims = prolonged(this.#claims, unswept)
    const later = [...this.#clients].map(([publicToken, client]) => {
      return [publicToken, { ...client, expiresAtSeconds: client.expiresAtSeconds + unswept }] as const
    })
    this.#clients = new Map(later)
  }

  /** Those whom a sweep has to remove now. */
  expired(): ModelClient[] {
    return [...this.#clients.values()].filter(({ expiresAtSeconds }) => expiresAtSeconds <= this.#nowSeconds)
  }

  #change(publicToken: string, changed: (client: ModelClient) => ModelClient): void {
    this.#clients = withEntry(this.#clients, publicToken, changed(this.#clients.get(publicToken)!))
  }

  #initialise({ client, privateTokenHash, leaseSeconds }: InitialiseOperation, id: number): void {
    const { publicToken, displayName, data, userId, sessionId, groups } = client
    const expiresAtSeconds = this.#nowSeconds + leaseSeconds
    const fresh = { holder: undefined, acknowledgedId: undefined, goodbye: false, expiresAtSeconds }
    const given = { publicToken, displayName, data, userId, sessionId, privateTokenHash, generation: id }
    const added = { ...given, ...initialMemberships(groups, id), ...fresh }
    this.#clients = withEntry(this.#clients, publicToken, added)
    const bearers = this.#bearers.get(publicToken) ?? []
    this.#bearers = withEntry(this.#bearers, publicToken, [...bearers, { generation: id, privateTokenHash }])
  }

  #remove({ publicToken, generation }: Pick<ModelClient, 'publicToken' | 'generation'>): void {
    this.#clients = without(this.#clients, publicToken)
    this.#claims = withoutClaimsOf(this.#claims, generation)
  }

  #stop({ topics, except }: StopOperation, node: number): void {
    for (const client of this.#clients.values()) {
      const { publicToken, privateTokenHash, generation } = client
      if (except.includes(publicToken) || !isAddressed(client, topics)) continue
      this.#remove(client)
      this.#stopped = withEntry(this.#stopped, privateTokenHash, true)
      this.#leaving = withEntry(this.#leaving, generation, { client, by: node })
    }
  }
}
