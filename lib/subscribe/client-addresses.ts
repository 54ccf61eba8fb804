import type { CometClient } from '../comet-client.ts'
import type { ClientRecord, JoinEntry, LeaveEntry, StopEntry, UpdateEntry } from '../comet-state-provider.ts'
import { groupsOf, isMember, type MembershipRecord, withJoined, withLeft } from '../memberships.ts'
import type { SubscriptionVisitor } from '../places.ts'
import { EVERYBODY, groupTopic, ownTopicsOf, topicsOf } from '../topics.ts'

/** Most clients have none, and there may be very many of them. */
const NO_MEMBERSHIP: MembershipRecord = Object.freeze({ memberships: [] })

/** Made once for all clients: a stop may have a thousand names, and a node know thousands of clients. */
const audiences = new WeakMap<StopEntry, { topics: ReadonlySet<string>; except: ReadonlySet<string> }>()

function audienceOf(stop: StopEntry): { topics: ReadonlySet<string>; except: ReadonlySet<string> } {
  const known = audiences.get(stop)
  if (known) return known
  const audience = { topics: new Set(stop.topics), except: new Set(stop.except) }
  audiences.set(stop, audience)
  return audience
}

/** What a client is addressed by, as of the newest entry about it that was applied. */
export class ClientAddresses {
  /** As in its record, which V8 reads slowly since it is frozen. These are read for each message. */
  readonly publicToken: string
  readonly generation: number
  /** Nothing up to this id is for it. */
  readonly floor: number
  readonly #ownTopics: readonly string[]
  #client: CometClient
  #membership: MembershipRecord

  /** @param epoch the life of the log in which it reads */
  constructor(record: ClientRecord, epoch: string) {
    const { publicToken, start, generation } = record.client
    this.publicToken = publicToken
    this.generation = generation
    this.floor = start.epoch === epoch ? Math.min(start.messageId, generation) : generation
    this.#client = frozen(record.client)
    this.#ownTopics = ownTopicsOf(record.client)
    this.#membership = membershipOf(record)
  }

  get client(): CometClient {
    return this.#client
  }

  /** What was sent to groups that it has left may be missing up to here. */
  get lostThrough(): number | undefined {
    return this.#membership.lostThrough
  }

  forEachSubscription(visit: SubscriptionVisitor): void {
    const { generation } = this
    // What was sent to an earlier bearer of the public token is not for this one, whatever the start.
    for (const topic of this.#ownTopics) visit(topic, topic === EVERYBODY ? this.floor : generation)
    for (const { group, joined, left } of this.#membership.memberships) {
      // What it was a member of from the start, it is as of where it starts to read.
      visit(groupTopic(group), joined === generation ? this.floor : joined, left)
    }
  }

  /** Whether the client is of the audience at this moment. */
  areIn(stop: StopEntry): boolean {
    const { topics, except } = audienceOf(stop)
    if (except.has(this.publicToken)) return false
    return topicsOf(this.#client).some((topic) => topics.has(topic))
  }

  /**
   * Takes an entry that is about this client.
   * @param trimmedThrough what ended up to here nobody asks for any more
   */
  apply(entry: UpdateEntry | JoinEntry | LeaveEntry, trimmedThrough: number): void {
    if (entry.kind === 'update') {
      const { displayName, data } = entry.client
      this.#client = frozen({ ...this.#client, displayName, data })
      return
    }
    const { id, kind, group } = entry
    // Of a membership from the start there is a join entry as well.
    if (isMember(this.#membership, group) === (kind === 'join')) return
    this.#membership =
      kind === 'join'
        ? withJoined(this.#membership, group, id)
        : withLeft(this.#membership, group, id, trimmedThrough)
    this.#client = frozen({ ...this.#client, groups: groupsOf(this.#membership) })
  }
}

/** The app is shown this record: what it does to it must not change whom messages reach. */
function frozen(client: CometClient): CometClient {
  Object.freeze(client.groups)
  freezeDeep(client.data)
  return Object.freeze(client)
}

function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freezeDeep(part)
}

function membershipOf({ memberships, lostThrough }: ClientRecord): MembershipRecord {
  if (lostThrough !== undefined) return { memberships, lostThrough }
  return memberships.length === 0 ? NO_MEMBERSHIP : { memberships }
}
