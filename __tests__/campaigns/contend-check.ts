import type { Problem } from './problems.ts'

/** What one of several processes on a file saw and did. */
export interface NodeReport {
  /** All entries that it was fed, in that order: the id, the kind, and the contents or the public token. */
  readonly fed: readonly string[]
  readonly acknowledged: readonly (readonly [contents: string, id: number])[]
  /** What it could not send. */
  readonly refused: readonly string[]
  /** Public tokens of the clients that it made. */
  readonly initialised: readonly string[]
  /** Of those that it removed since they were idle. */
  readonly removed: readonly string[]
  /** Refusals, and what its listener was told. */
  readonly troubles: readonly string[]
  readonly calls: number
  readonly medianCallMs: number
  readonly longestCallMs: number
  readonly longestStallMs: number
}

/** Returns what is wrong with what processes on one file saw and did at the same time. */
export function checkNodes(nodes: readonly NodeReport[]): Problem[] {
  const [first, ...others] = nodes
  return [
    ...nodes.flatMap(({ troubles }) => troubles.map((text): Problem => ({ kind: 'refused', text }))),
    ...others.flatMap(({ fed }) => checkSame(first!.fed, fed)),
    ...checkOrder(first!.fed),
    ...nodes.flatMap((node) => checkAcknowledged(node, first!.fed)),
    ...nodes.flatMap((node) => checkRefused(node, first!.fed)),
    ...checkRemoved(nodes, first!.fed),
  ]
}

function checkSame(one: readonly string[], other: readonly string[]): Problem[] {
  if (one.length === other.length && one.every((entry, index) => entry === other[index])) return []
  const at = one.findIndex((entry, index) => entry !== other[index])
  return [{ kind: 'out of order', text: `one was fed ${one[at]}, another ${other[at]}, as number ${at}` }]
}

/** Ids rise, and no message is there twice: each has contents of its own. */
function checkOrder(fed: readonly string[]): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  let last = 0
  for (const entry of fed) {
    const id = Number.parseInt(entry, 10)
    const what = entry.slice(entry.indexOf(' ') + 1)
    if (id === last) problems.push({ kind: 'reused', text: entry })
    if (id < last) problems.push({ kind: 'out of order', text: `${entry} came after ${last}` })
    if (seen.has(what)) problems.push({ kind: 'twice', text: entry })
    seen.add(what)
    last = id
  }
  return problems
}

/** What a process was told is in the log, with this id, in the order of its own calls. */
function checkAcknowledged({ acknowledged }: NodeReport, fed: readonly string[]): Problem[] {
  const problems: Problem[] = []
  const all = new Set(fed)
  let last = 0
  for (const [contents, id] of acknowledged) {
    if (!all.has(`${id} message ${contents}`)) problems.push({ kind: 'lost', text: `${contents} (id ${id})` })
    const isShared = contents.startsWith('"shared')
    if (isShared) continue
    if (id <= last) problems.push({ kind: 'out of order', text: `${contents} got ${id} after ${last}` })
    last = id
  }
  return problems
}

/** What was refused since the lock was taken is not in the log. */
function checkRefused({ refused }: NodeReport, fed: readonly string[]): Problem[] {
  if (refused.length === 0) return []
  const contents = new Set(refused)
  const stored = fed.filter((entry) => contents.has(entry.slice(entry.indexOf('"'))))
  return stored.map((entry) => ({ kind: 'refused', text: `${entry} was refused, and stored` }))
}

/** Each client is removed by one process, once, with one entry. */
function checkRemoved(nodes: readonly NodeReport[], fed: readonly string[]): Problem[] {
  const problems: Problem[] = []
  const removed = countOf(nodes.flatMap((node) => node.removed))
  const entries = countOf(
    fed.filter((entry) => entry.includes(' remove ')).map((entry) => entry.split(' ').at(-1)!),
  )
  for (const publicToken of nodes.flatMap(({ initialised }) => initialised)) {
    const times = [removed.get(publicToken) ?? 0, entries.get(publicToken) ?? 0]
    if (times.some((count) => count !== 1)) {
      problems.push({
        kind: 'client',
        text: `${publicToken} was removed ${times[0]} times, by ${times[1]} entries`,
      })
    }
  }
  return problems
}

function countOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}
