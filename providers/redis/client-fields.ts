import type { CometClient, NewCometClient } from '../../lib/comet-client.ts'
import { groupsOf, type Membership, type MembershipRecord } from '../../lib/memberships.ts'

/** What a script tells of a client: the same places as in `told` of the scripts. */
export type ToldClient = readonly [
  /** JSON of all that never changes. */
  fixed: string,
  displayName: string,
  /** JSON. */
  data: string,
  createdAt: number,
  lastSeenAt: number,
  generation: number,
  startEpoch: string,
  startId: number,
  /** 0: nothing is lost. */
  lostThrough: number,
  /** Group, id of the joining, and of the leaving or 0, of each. */
  memberships: readonly (string | number)[],
]

type Fixed = Omit<NewCometClient, 'displayName' | 'data' | 'groups'>

/** The JSON text of all of a client that never changes, and does not depend on the log or the clock. */
export function fixedPartOf({
  displayName: _name,
  data: _data,
  groups: _groups,
  ...fixed
}: NewCometClient): string {
  return JSON.stringify(fixed satisfies Fixed)
}

export function clientOf(told: ToldClient): CometClient {
  const [fixed, displayName, data, createdAt, lastSeenAt, generation, epoch, messageId] = told
  return {
    ...(JSON.parse(fixed) as Fixed),
    displayName,
    data: JSON.parse(data) as unknown,
    groups: groupsOf(membershipsOf(told)),
    createdAt,
    lastSeenAt,
    generation,
    start: { epoch, messageId },
  }
}

export function membershipsOf(told: ToldClient): MembershipRecord {
  const [lostThrough, flat] = [told[8], told[9]]
  const memberships: Membership[] = []
  for (let index = 0; index < flat.length; index += 3) {
    const [group, joined, left] = flat.slice(index, index + 3) as [string, number, number]
    memberships.push(left === 0 ? { group, joined } : { group, joined, left })
  }
  return lostThrough === 0 ? { memberships } : { memberships, lostThrough }
}
