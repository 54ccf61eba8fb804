import type { Entry } from '../../lib/comet-state-provider.ts'
import type { MembershipFact, MessageFact } from './cluster-facts.ts'
import { numberOf } from './numbered.ts'
import type { Problem } from './problems.ts'

/** Returns what is wrong with the log: each message that was acknowledged is in it once, with the id that was told. */
export function checkLog(
  entries: readonly Entry[],
  messages: ReadonlyMap<number, Pick<MessageFact, 'id'>>,
): Problem[] {
  const problems: Problem[] = []
  const idOf = new Map<number, number>()
  for (const entry of entries) {
    if (entry.kind !== 'message') continue
    const number = numberOf(entry.contents)
    const known = idOf.get(number)
    if (!messages.has(number)) problems.push({ kind: 'damaged', text: `nobody sent ${entry.id}` })
    else if (known !== undefined)
      problems.push({ kind: 'twice', text: `${number} is ${known} and ${entry.id}` })
    idOf.set(number, entry.id)
  }
  for (const [number, { id }] of messages) {
    const found = idOf.get(number)
    if (id === undefined || id === found) continue
    if (found === undefined)
      problems.push({ kind: 'lost', text: `${number}, acknowledged as ${id}, is not in the log` })
    else problems.push({ kind: 'reused', text: `${number}, acknowledged as ${id}, is ${found} in the log` })
  }
  return problems
}

interface GroupMessage {
  readonly group: string
  readonly except: readonly string[]
  readonly id: number
  readonly beganMs: number
  readonly endedMs: number
}

/**
 * Returns what members were not sent: what a group was sent in a time in which a client was told that it is a member is
 * addressed to it.
 *
 * @param addressed what the log says
 * @param removedAt the ids with which clients were removed
 */
export function checkMemberships(
  messages: Iterable<MessageFact>,
  memberships: readonly MembershipFact[],
  addressed: ReadonlyMap<string, readonly number[]>,
  removedAt: ReadonlyMap<string, number>,
): Problem[] {
  const problems: Problem[] = []
  const addressedSets = new Map<string, ReadonlySet<number>>()
  const upcoming = byGroup(memberships)
  const current = new Map<string, MembershipFact[]>()
  for (const { group, except, id, beganMs, endedMs } of messagesToGroups(messages)) {
    const members = (current.get(group) ?? []).filter(({ toMs }) => toMs > beganMs)
    const next = upcoming.get(group) ?? []
    while (next.length > 0 && next.at(-1)!.fromMs <= beganMs) members.push(next.pop()!)
    current.set(group, members)
    for (const { publicToken, toMs } of members) {
      const isSpared =
        toMs < endedMs || except.includes(publicToken) || id > (removedAt.get(publicToken) ?? id)
      if (!isSpared && !setOf(publicToken).has(id))
        problems.push({
          kind: 'lost',
          text: `${publicToken} is a member of ${group}, and ${id} is not for it`,
        })
    }
  }
  return problems

  function setOf(publicToken: string): ReadonlySet<number> {
    const known = addressedSets.get(publicToken) ?? new Set(addressed.get(publicToken))
    addressedSets.set(publicToken, known)
    return known
  }
}

/** Those that were acknowledged, one for each group, in the order of their beginnings. */
function messagesToGroups(messages: Iterable<MessageFact>): GroupMessage[] {
  return [...messages]
    .flatMap(({ audience, id, beganMs, endedMs }) =>
      id === undefined || endedMs === undefined
        ? []
        : [audience.group ?? []].flat().map((group) => {
            const except = [audience.except ?? []].flat()
            return { group, except, id, beganMs, endedMs }
          }),
    )
    .sort((one, other) => one.beganMs - other.beganMs)
}

/** By group, the earliest last. */
function byGroup(memberships: readonly MembershipFact[]): Map<string, MembershipFact[]> {
  const groups = new Map<string, MembershipFact[]>()
  for (const membership of [...memberships].sort((one, other) => other.fromMs - one.fromMs)) {
    const known = groups.get(membership.group)
    if (known) known.push(membership)
    else groups.set(membership.group, [membership])
  }
  return groups
}
