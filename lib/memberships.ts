/** How many memberships that have ended are kept of a client: its newest. */
export const MAX_ENDED_MEMBERSHIPS = 100

/** A membership is an interval of ids: what is sent to the group above `joined` and below `left` is for the client. */
export interface Membership {
  readonly group: string
  /** The id of its join entry; the client's generation for one that it had from the start. */
  readonly joined: number
  /** The id of its leave entry. Absent: it goes on. */
  readonly left?: number
}

/** What a client is and was a member of. */
export interface MembershipRecord {
  /** In the order of joining: those that go on, and those ended ones that the retained window reaches. */
  readonly memberships: readonly Membership[]
  /** Of a client whose ended ones are not all kept: what it was sent up to here may be missing. */
  readonly lostThrough?: number
}

/** The memberships of a client that is a member of these groups from the start. */
export function initialMemberships(groups: readonly string[], generation: number): MembershipRecord {
  return { memberships: groups.map((group) => ({ group, joined: generation })) }
}

/** The groups that a client is a member of, in the order of joining. */
export function groupsOf({ memberships }: MembershipRecord): string[] {
  return memberships.filter(isOpen).map(({ group }) => group)
}

export function isMember({ memberships }: MembershipRecord, group: string): boolean {
  return memberships.some((membership) => membership.group === group && isOpen(membership))
}

/** The record of one that was no member and joins by the entry of this id. */
export function withJoined(record: MembershipRecord, group: string, id: number): MembershipRecord {
  return { ...record, memberships: [...record.memberships, { group, joined: id }] }
}

/**
 * The record of a member that leaves by the entry of this id.
 * @param trimmedThrough what ended up to here is not in the retained window any more, and not kept
 */
export function withLeft(
  record: MembershipRecord,
  group: string,
  id: number,
  trimmedThrough: number,
): MembershipRecord {
  const memberships = record.memberships.map((each) =>
    each.group === group && isOpen(each) ? { ...each, left: id } : each,
  )
  const ends = memberships.flatMap(({ left }) => left ?? []).sort((a, b) => a - b)
  const surplus = ends[ends.length - MAX_ENDED_MEMBERSHIPS - 1] ?? 0
  const dropsThrough = Math.max(trimmedThrough, surplus)
  const dropped = ends.filter((left) => left <= dropsThrough)
  if (dropped.length === 0) return { ...record, memberships }
  return {
    memberships: memberships.filter(({ left }) => left === undefined || left > dropsThrough),
    // What was sent to a group came before it was left. Another node's window may reach further than this one.
    lostThrough: Math.max(record.lostThrough ?? 0, ...dropped.map((left) => left - 1)),
  }
}

function isOpen({ left }: Membership): boolean {
  return left === undefined
}
