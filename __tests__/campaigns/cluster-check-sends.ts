import type { KillFact, RunFact, SendFact } from './cluster-facts.ts'
import { workResult } from './cluster-orders.ts'
import type { Problem } from './problems.ts'

/** The page was gone before it was answered: nobody learns whether the handler ran. */
export const GONE = 'COMET_LEFT'

export const UNKNOWN = 'COMET_OUTCOME_IS_UNKNOWN'

/**
 * Returns what is wrong with what pages sent: the handler of each that resolved ran once, of others at most once; it gave
 * its own result; those of one page were handled in their order; and nobody was told that the outcome is unknown unless
 * a node was killed meanwhile, which was the handler's if that is known.
 */
export function checkSends(
  sends: readonly SendFact[],
  runs: readonly RunFact[],
  kills: readonly KillFact[],
): Problem[] {
  const runsOf = new Map<string, RunFact[]>()
  for (const run of runs) {
    const known = runsOf.get(workResult(run))
    if (known) known.push(run)
    else runsOf.set(workResult(run), [run])
  }
  return [
    ...sends.flatMap((send) => checkSend(send, runsOf.get(workResult(send)) ?? [], kills)),
    ...checkOrder(runs),
  ]
}

function checkSend(send: SendFact, runs: readonly RunFact[], kills: readonly KillFact[]): Problem[] {
  const { calledMs, settledMs, outcome, result } = send
  const name = workResult(send)
  const problems: Problem[] = []
  const nodes = runs.map(({ node }) => node)
  if (runs.length > 1) problems.push({ kind: 'twice', text: `${name} was handled by ${nodes}` })
  if (outcome === 'resolved') {
    if (runs.length === 0) problems.push({ kind: 'lost', text: `${name} resolved, and was not handled` })
    if (result !== name) problems.push({ kind: 'damaged', text: `${name} resolved with ${result}` })
  } else if (outcome === UNKNOWN) {
    const isKilled = ({ node, atMs }: KillFact): boolean =>
      calledMs <= atMs && atMs <= settledMs && (runs.length === 0 || nodes.includes(node))
    if (!kills.some(isKilled))
      problems.push({ kind: 'failed', text: `${name} is unknown, and no node was killed` })
  } else if (outcome !== GONE)
    problems.push({ kind: 'refused', text: `${name} was rejected with ${outcome}` })
  return problems
}

function checkOrder(runs: readonly RunFact[]): Problem[] {
  const problems: Problem[] = []
  const lastOf = new Map<string, number>()
  for (const { sender, number } of [...runs].sort((one, other) => one.atMs - other.atMs)) {
    const last = lastOf.get(sender) ?? 0
    if (number < last)
      problems.push({ kind: 'out of order', text: `${sender}:${number} was handled after ${last}` })
    lastOf.set(sender, Math.max(last, number))
  }
  return problems
}
