import type { ListFact, LoggedEntry } from './cluster-facts.ts'
import type { Problem } from './problems.ts'

/** What happened so shortly before a page had its list may be in it or not: it is seen a little later than it was. */
const SLACK_MS = 2000

/** A client's time in a group. */
interface Stay {
  readonly joinId: number
  readonly leaveId: number
  readonly leftMs: number
}

/**
 * Returns what is wrong with lists of a group's members: with the notices that came after it, each says who is there. So
 * it has all who are members as of its position, unless they have left since, and nobody who came neither before nor
 * since.
 */
export function checkLists(lists: readonly ListFact[], log: readonly LoggedEntry[]): Problem[] {
  const stays = staysOf(log)
  const problems: Problem[] = []
  const sorted = [...lists].sort((one, other) => one.asOf - other.asOf)
  const members = new Map<string, Set<string>>()
  let read = 0
  for (const list of sorted) {
    for (; read < log.length && log[read]!.entry.id <= list.asOf; read += 1) move(members, log[read]!)
    const present = members.get(list.group) ?? new Set()
    const listed = new Set(list.publicTokens)
    if (listed.size < list.publicTokens.length)
      problems.push({ kind: 'twice', text: `somebody is in the list of ${list.group} twice` })
    for (const who of present)
      if (!listed.has(who) && !hasLeft(who, list))
        problems.push({ kind: 'client', text: `the list of ${list.group} as of ${list.asOf} lacks ${who}` })
    for (const who of listed)
      if (!present.has(who) && !hasCome(who, list))
        problems.push({ kind: 'client', text: `the list of ${list.group} as of ${list.asOf} has ${who}` })
  }
  return problems

  function hasLeft(who: string, { group, asOf, answeredMs }: ListFact): boolean {
    const stay = stays.get(`${group} ${who}`)?.find(({ leaveId }) => leaveId > asOf)
    return stay !== undefined && stay.leftMs < answeredMs + SLACK_MS
  }

  function hasCome(who: string, { group, asOf }: ListFact): boolean {
    return stays.get(`${group} ${who}`)?.some(({ joinId }) => joinId > asOf) ?? false
  }
}

/** By group and client, in their order. */
function staysOf(log: readonly LoggedEntry[]): Map<string, Stay[]> {
  const stays = new Map<string, Stay[]>()
  for (const { entry, atMs } of log) {
    if (entry.kind !== 'join' && entry.kind !== 'leave') continue
    const key = `${entry.group} ${entry.client.publicToken}`
    const known = stays.get(key) ?? []
    stays.set(key, known)
    const never = Number.POSITIVE_INFINITY
    if (entry.kind === 'join') known.push({ joinId: entry.id, leaveId: never, leftMs: never })
    else known.push({ ...known.pop()!, leaveId: entry.id, leftMs: atMs })
  }
  return stays
}

function move(members: Map<string, Set<string>>, { entry }: LoggedEntry): void {
  if (entry.kind !== 'join' && entry.kind !== 'leave') return
  const { group, client } = entry
  const present = members.get(group) ?? new Set()
  members.set(group, present)
  if (entry.kind === 'join') present.add(client.publicToken)
  else present.delete(client.publicToken)
}
