import type { CometClient } from '../../lib/comet-client.ts'
import type {
  ClientRecord,
  InitialiseOperation,
  LeaseOutcome,
  LeaseRenewal,
  RefusalCode,
  RemovedClient,
  UpdateOperation,
} from '../../lib/comet-state-provider.ts'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import type { Cursor } from '../../lib/cursor.ts'
import { groupsOf, type MembershipRecord, withJoined, withLeft } from '../../lib/memberships.ts'
import { clientOfTopic, EVERYBODY, groupTopic, userTopic } from '../../lib/topics.ts'
import { AddressBook } from './address-book.ts'
import { newStoredClient, recordOf, type StoredClient } from './stored-client.ts'

/** The clients of a channel and their leases. Every method is one atomic step. */
export class ClientTable {
  readonly #now: () => number
  readonly #byPublicToken = new Map<string, StoredClient>()
  readonly #byHash = new Map<string, StoredClient>()
  readonly #addresses = new AddressBook()
  #lastSweepAt: number

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now
    this.#lastSweepAt = now()
  }

  /** Why this client cannot be added, if so. */
  refusal(operation: InitialiseOperation): RefusalCode | undefined {
    const { client, privateTokenHash, maxClients, maxClientsPerUser } = operation
    if (this.#byPublicToken.has(client.publicToken) || this.#byHash.has(privateTokenHash)) {
      return 'COMET_CLIENT_ALREADY_EXISTS'
    }
    if (this.#byPublicToken.size >= maxClients) return 'COMET_TOO_MANY_CLIENTS'
    if (client.userId === undefined) return undefined
    const ofUser = this.#addresses.countAt(userTopic(client.userId))
    return ofUser >= maxClientsPerUser ? 'COMET_USER_HAS_TOO_MANY_CLIENTS' : undefined
  }

  add(operation: InitialiseOperation, at: Cursor): CometClient {
    const stored = newStoredClient(operation, at, this.#after(operation.leaseSeconds))
    this.#byPublicToken.set(stored.client.publicToken, stored)
    this.#byHash.set(stored.privateTokenHash, stored)
    this.#addresses.add(stored)
    return recordOf(stored)
  }

  /** @param generation absent: whoever bears the public token */
  has(publicToken: string, generation?: number): boolean {
    return this.#stored(publicToken, generation) !== undefined
  }

  /** A copy of the record. The generation as for {@link has}. */
  get(publicToken: string, generation?: number): CometClient | undefined {
    const stored = this.#stored(publicToken, generation)
    return stored && recordOf(stored)
  }

  find(privateTokenHash: string): Omit<ClientRecord, 'asOf'> | undefined {
    const stored = this.#byHash.get(privateTokenHash)
    if (stored === undefined) return undefined
    const { memberships, holder, acknowledged } = stored
    return {
      client: recordOf(stored),
      ...memberships,
      ...(holder !== undefined && { holder }),
      ...(acknowledged && { acknowledged }),
    }
  }

  /** Changes what is given. The record as it is then. */
  update({ publicToken, displayName, data }: UpdateOperation): CometClient {
    const stored = this.#byPublicToken.get(publicToken)!
    const { client } = stored
    stored.client = {
      ...client,
      displayName: displayName ?? client.displayName,
      data: data === undefined ? client.data : data,
    }
    return recordOf(stored)
  }

  /** Makes one that is no member a member. The record as it is then. */
  join(publicToken: string, group: string, id: number): CometClient {
    const stored = this.#byPublicToken.get(publicToken)!
    this.#addresses.addAt(groupTopic(group), stored)
    return withMemberships(stored, withJoined(stored.memberships, group, id))
  }

  /** Ends a membership. The record as it is then. */
  leave(publicToken: string, group: string, id: number, trimmedThrough: number): CometClient {
    const stored = this.#byPublicToken.get(publicToken)!
    this.#addresses.removeAt(groupTopic(group), stored)
    return withMemberships(stored, withLeft(stored.memberships, group, id, trimmedThrough))
  }

  /** The hash of the private token it had. */
  remove(publicToken: string): string {
    const stored = this.#byPublicToken.get(publicToken)!
    this.#byPublicToken.delete(publicToken)
    this.#byHash.delete(stored.privateTokenHash)
    this.#addresses.remove(stored)
    return stored.privateTokenHash
  }

  /** Those whom one of the topics addresses, each once. */
  *audience(topics: readonly string[]): Generator<CometClient> {
    for (const stored of this.#addressed(topics)) yield recordOf(stored)
  }

  renew(renewal: LeaseRenewal): LeaseOutcome {
    const stored = this.#byPublicToken.get(renewal.publicToken)
    if (stored === undefined || stored.client.generation !== renewal.generation) return 'gone'
    const elsewhere = stored.holder !== undefined && stored.holder !== renewal.holder
    if (elsewhere && !renewal.take) return 'elsewhere'
    if (stored.goodbye && !renewal.returns) return 'kept'
    stored.holder = renewal.holder
    stored.goodbye = renewal.goodbye
    stored.expiresAt = this.#after(renewal.seconds)
    stored.lastSeenAt = Date.now()
    const acknowledged = highest(stored.acknowledged, renewal.acknowledged)
    if (acknowledged) stored.acknowledged = acknowledged
    return 'kept'
  }

  /** Those whose lease ran out. Time in which nobody swept is time in which nobody could be seen. */
  expired(): RemovedClient[] {
    const now = this.#now()
    const unswept = now - this.#lastSweepAt
    this.#lastSweepAt = now
    const grace = unswept > 2 * SWEEP_PERIOD_SECONDS * 1000 ? unswept : 0
    const expired: RemovedClient[] = []
    for (const stored of this.#byPublicToken.values()) {
      stored.expiresAt += grace
      if (stored.expiresAt <= now) {
        expired.push({ client: recordOf(stored), reason: stored.goodbye ? 'goodbye' : 'idle' })
      }
    }
    return expired
  }

  /** A list of its own, unless it is everybody: one who leaves and joins meanwhile is not met twice. */
  #addressed(topics: readonly string[]): Iterable<StoredClient> {
    if (topics.includes(EVERYBODY)) return this.#byPublicToken.values()
    const addressed = new Set<StoredClient>()
    for (const topic of topics) {
      const publicToken = clientOfTopic(topic)
      if (publicToken === undefined) {
        for (const stored of this.#addresses.at(topic)) addressed.add(stored)
      } else {
        const stored = this.#byPublicToken.get(publicToken)
        if (stored) addressed.add(stored)
      }
    }
    return addressed
  }

  #stored(publicToken: string, generation: number | undefined): StoredClient | undefined {
    const stored = this.#byPublicToken.get(publicToken)
    return generation === undefined || stored?.client.generation === generation ? stored : undefined
  }

  #after(seconds: number): number {
    return this.#now() + seconds * 1000
  }
}

function withMemberships(stored: StoredClient, memberships: MembershipRecord): CometClient {
  Object.freeze(memberships.memberships)
  stored.memberships = memberships
  stored.client = { ...stored.client, groups: Object.freeze(groupsOf(memberships)) }
  return recordOf(stored)
}

/** The newer epoch wins, since a page only ever moves on to it; within one, the higher id. */
function highest(known: Cursor | undefined, told: Cursor | undefined): Cursor | undefined {
  if (known === undefined || told === undefined) return told ?? known
  return known.epoch === told.epoch && known.messageId > told.messageId ? known : told
}
