import type { CometClient } from '../../lib/comet-client.ts'
import type { InitialiseOperation } from '../../lib/comet-state-provider.ts'
import type { Cursor } from '../../lib/cursor.ts'
import { initialMemberships, type MembershipRecord } from '../../lib/memberships.ts'

/** A client with what only the store knows of it. */
export interface StoredClient {
  client: Omit<CometClient, 'lastSeenAt'>
  lastSeenAt: number
  readonly privateTokenHash: string
  memberships: MembershipRecord
  holder?: string
  acknowledged?: Cursor
  /** When the lease runs out, on the store's clock. */
  expiresAt: number
  goodbye: boolean
}

/** One record for all that never were in a group. */
const NO_MEMBERSHIPS: MembershipRecord = Object.freeze({ memberships: Object.freeze([]) })

/**
 * @param at where its initialise entry is
 * @param expiresAt when its lease runs out, on the store's clock
 */
export function newStoredClient(
  { client, privateTokenHash, from }: InitialiseOperation,
  at: Cursor,
  expiresAt: number,
): StoredClient {
  const now = Date.now()
  const generation = at.messageId
  Object.freeze(client.groups)
  const start = Object.freeze(from ?? at)
  return {
    // The spread comes last: with it first, V8 gives each of these a hidden class of its own (about 270 bytes).
    client: { createdAt: now, generation, start, ...client },
    lastSeenAt: now,
    privateTokenHash,
    memberships: client.groups.length === 0 ? NO_MEMBERSHIPS : initialMemberships(client.groups, generation),
    expiresAt,
    goodbye: false,
  }
}

/** A copy, of which all that it has in common with the table is frozen: what is kept is nobody else's to change. */
export function recordOf({ client, lastSeenAt }: StoredClient): CometClient {
  return { lastSeenAt, ...client }
}
